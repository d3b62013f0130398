import { sizeOf, type Tensor } from "../core/tensor.ts";
import type { Graph, Node, Value } from "./graph/graph.ts";
import type { Initializer } from "./layers/initializers.ts";
import type { Network } from "./network.ts";
import type { OpName } from "./ops/index.ts";

/** Operators that weigh what they read: each begins a layer. */
const WEIGHTED: ReadonlySet<string> = new Set<OpName>(["Conv", "ConvTranspose", "Gemm", "MatMul"]);

/** Where an operator takes learned tensors, by its inputs' places. */
export const LEARNED = {
  Add: [0, 1],
  BatchNormalization: [1, 2],
  Conv: [1, 2],
  Gemm: [1, 2],
  InstanceNormalization: [1, 2],
  LayerNormalization: [1, 2],
  MatMul: [0, 1],
  Mul: [0, 1],
  PRelu: [1],
} as const satisfies Partial<Record<OpName, readonly number[]>>;

/** Of Add and Mul a single number is a constant of a formula, and what stands before the first weights is preprocessing. */
const ARITHMETIC: ReadonlySet<string> = new Set<OpName>(["Add", "Mul"]);

const learnedInputsOf = ({ op }: Node): readonly number[] => (Object.hasOwn(LEARNED, op) ? LEARNED[op as keyof typeof LEARNED] : []);

/** Where a node takes running statistics. */
const statisticsAt = ({ op }: Node): readonly number[] => (op === "BatchNormalization" ? [3, 4] : []);

/**
 * What is joined to a sequence that weights made, [N, T, D], along T: a class token, repeated for each image. A constant that is joined to a map
 * [N, C, H, W], such as coordinates or zeros in place of channels, belongs to a formula.
 */
function tokensOf({ nodes }: Graph, behindWeights: ReadonlySet<Value>): ReadonlySet<Value | undefined> {
  const isSequence = ({ op, attributes: { axis }, outputs: [y] }: Node): boolean =>
    op === "Concat" && y.shape.length === 3 && (axis === 1 || axis === -2) && behindWeights.has(y);
  return new Set(nodes.flatMap((node) => (isSequence(node) ? node.inputs.filter((value) => value && !behindWeights.has(value)) : [])));
}

/** Each node of a graph with the places where it reads a learned tensor that the graph holds. */
function learnedPlaces(graph: Graph): ReadonlyMap<Node, readonly number[]> {
  const behindWeights = new Set<Value>();
  for (const { op, inputs, outputs } of graph.nodes)
    if (WEIGHTED.has(op) || inputs.some((value) => value && behindWeights.has(value)))
      for (const value of outputs) behindWeights.add(value);
  const tokens = tokensOf(graph, behindWeights);
  return new Map(
    graph.nodes.map((node) => {
      const { op, inputs, outputs } = node;
      const isToken = op === "Add" && tokens.has(outputs[0]); // with zeros for each image: how a parsed file repeats a token
      const places = learnedInputsOf(node).filter((at) => {
        const value = inputs[at];
        if (value?.dtype !== "float32" || value.shape.length === 0 || !graph.initializers.has(value)) return false;
        return isToken || !ARITHMETIC.has(op) || (behindWeights.has(outputs[0]) && sizeOf(value.shape as readonly number[]) > 1);
      });
      return [node, places];
    }),
  );
}

/** A tensor that is there already, in place of a drawn one. */
export const given =
  (t: Tensor): Initializer =>
  () =>
    (t.data as Float32Array).slice();

/**
 * The same graph where each learned tensor and each running statistic is read in one place only: writers keep equal tensors, such as the zeros of many
 * biases, as one, and each is to be trained by itself.
 */
export function withOwnWeights(graph: Graph): Graph {
  const learned = learnedPlaces(graph);
  const names = new Set([...graph.initializers.keys()].map(({ name }) => name));
  const initializers = new Map(graph.initializers);
  const seen = new Set<Value>();
  const own = (value: Value): Value => {
    let name = value.name;
    for (let i = 2; names.has(name); i++) name = `${value.name}_${i}`;
    names.add(name);
    const copy = { ...value, name };
    initializers.set(copy, graph.initializers.get(value)!);
    return copy;
  };
  const nodes = graph.nodes.map((node) => {
    const places = [
      ...learned.get(node)!,
      ...statisticsAt(node).filter((at) => node.inputs[at] && graph.initializers.has(node.inputs[at])),
    ];
    const inputs = node.inputs.map((value, at) => {
      if (!value || !places.includes(at)) return value;
      const taken = seen.has(value);
      seen.add(value);
      return taken ? own(value) : value;
    });
    return { ...node, inputs };
  });
  return { ...graph, nodes, initializers };
}

/** The tensors of a graph that are learned, with the values that they have. */
export function learnedOf(graph: Graph): ReadonlyMap<Value, Initializer> {
  const places = learnedPlaces(graph);
  return new Map(
    graph.nodes.flatMap((node) =>
      places.get(node)!.map((at) => {
        const value = node.inputs[at]!;
        return [value, given(graph.initializers.get(value)!)] as const;
      }),
    ),
  );
}

/**
 * A network's layers with parameters, from the images to the logits: each is a convolution or linear layer with what stands behind it up to the next one,
 * its norm's scale and shift and separate biases.
 */
export function layersOf({ graph, parameters }: Pick<Network, "graph" | "parameters">): readonly (readonly Value[])[] {
  const layers: Value[][] = [];
  const seen = new Set<Value>();
  for (const node of graph.nodes) {
    const own = node.inputs.filter((value): value is Value => value !== undefined && parameters.has(value) && !seen.has(value));
    if (own.length === 0) continue;
    for (const value of own) seen.add(value);
    if (layers.length === 0 || WEIGHTED.has(node.op)) layers.push(own);
    else layers[layers.length - 1].push(...own);
  }
  return layers;
}
