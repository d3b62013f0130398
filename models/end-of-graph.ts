import type { Graph, Node, Value } from "./graph/graph.ts";
import type { OpName } from "./ops/index.ts";

/** What a classifier's output is, by what stands at its end. */
export type FinalOutput = "logits" | "probabilities" | "log-probabilities";

/** They pass every number on as it is, in another form. */
const PASSES_ON: ReadonlySet<string> = new Set<OpName>(["Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze"]);

/** What may stand between the linear layers of a head, besides what passes on. */
const IN_HEAD: ReadonlySet<string> = new Set<OpName>(["Gemm", "Relu", "Sigmoid"]);

/** What makes a value, as far as the end of a graph is told by it; the graph may be a file's bytes, whose values are names. */
interface Producer<V> {
  readonly op: string;
  readonly inputs: readonly (V | undefined)[];
}

/** How a graph ends: the operators that make an answer of the logits, from the last to the first, and what that answer is. */
export interface End<V, P extends Producer<V> = Producer<V>> {
  /** None; Softmax; LogSoftmax; Log and Softmax; Sigmoid, where each class has an answer of its own. */
  readonly activation: readonly P[];
  /** `undefined` behind a Sigmoid, whose scores are no distribution. */
  readonly output: FinalOutput | undefined;
  /** What the first operator of the activation reads; the output itself where there is none. */
  readonly logits: V;
}

/** What makes a value's numbers: the first producer backwards that does more than pass them on. */
export function sourceOf<V, P extends Producer<V>>(producerOf: (value: V) => P | undefined, value: V): P | undefined {
  const seen = new Set<V>(); // a damaged file may go in circles
  for (let at: V | undefined = value; at !== undefined && !seen.has(at); ) {
    seen.add(at);
    const producer: P | undefined = producerOf(at);
    if (!producer || !PASSES_ON.has(producer.op)) return producer;
    [at] = producer.inputs;
  }
  return undefined;
}

/** How what makes `output` ends. The one answer to it: of a graph, and of a file that is not parsed. */
export function endOf<V, P extends Producer<V>>(producerOf: (value: V) => P | undefined, output: V): End<V, P> {
  const last = sourceOf(producerOf, output);
  const [input] = last?.inputs ?? [];
  if (last && input !== undefined) {
    if (last.op === "Softmax") return { activation: [last], output: "probabilities", logits: input };
    if (last.op === "LogSoftmax") return { activation: [last], output: "log-probabilities", logits: input };
    if (last.op === "Sigmoid") return { activation: [last], output: undefined, logits: input };
    const inner = last.op === "Log" ? sourceOf<V, P>(producerOf, input) : undefined;
    if (inner?.op === "Softmax" && inner.inputs[0] !== undefined)
      return { activation: [last, inner], output: "log-probabilities", logits: inner.inputs[0] };
  }
  return { activation: [], output: "logits", logits: output };
}

/** Finds what makes a value of a graph. */
export function producersOf({ nodes }: Graph): (value: Value | undefined) => Node | undefined {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  return (value) => value && producers.get(value);
}

const endOfGraph = (graph: Graph): End<Value, Node> => endOf(producersOf(graph), graph.outputs[0]);

/** What a softmax, log-softmax or sigmoid at the end is given; the output itself where there is none. */
export const logitsOf = (graph: Graph): Value => endOfGraph(graph).logits;

/** What a graph's first output is; logits where nothing at its end tells. */
export const finalOutput = (graph: Graph): FinalOutput => endOfGraph(graph).output ?? "logits";

/**
 * The graph up to its logits: without a softmax or log-softmax at its end. What stands behind it and passes numbers on stays.
 * @param sigmoid a sigmoid goes as well: the loss over classes takes what it is given for their logits
 */
export function toLogits(graph: Graph, { sigmoid = false }: { readonly sigmoid?: boolean } = {}): Graph {
  const { activation, output } = endOfGraph(graph);
  if (activation.length === 0 || (output === undefined && !sigmoid)) return graph;
  const gone = new Set(activation);
  const inputs = new Map(activation.map((node) => [node.outputs[0], node.inputs[0]!]));
  const isCut = (value: Value | undefined): boolean => value !== undefined && inputs.has(value);
  const at = (value: Value): Value => (isCut(value) ? at(inputs.get(value)!) : value);
  return {
    ...graph,
    nodes: graph.nodes
      .filter((node) => !gone.has(node))
      .map((node) => (node.inputs.some(isCut) ? { ...node, inputs: node.inputs.map((value) => value && at(value)) } : node)),
    outputs: graph.outputs.map(at),
  };
}

/** The nodes from the logits back to the features that the first linear layer of the head reads. */
export function headNodes(graph: Graph): readonly Node[] {
  const producerOf = producersOf(graph);
  const found: Node[] = [];
  const isInHead = ({ op }: Node): boolean => IN_HEAD.has(op) || PASSES_ON.has(op);
  for (let node = producerOf(logitsOf(graph)); node && isInHead(node); node = producerOf(node.inputs[0])) found.push(node);
  return found;
}
