import type { Node, Value } from "../../models/graph/graph.ts";
import type { TrainingGraph } from "./training-graph.ts";

/** What they give never lies in the memory of what they read. */
const COMPUTING: ReadonlySet<string> = new Set(["Add", "Concat", "Div", "Mul", "Sub"]);
/** An update is a few nodes: further back nothing is looked for. */
const FURTHEST = 6;

/**
 * The variables whose next value may be written where they lie: every node that reads one comes before the node that writes its next value, by what that
 * depends on, or is that node and adds to it, so that it has read everything before the first number is written, in whatever order and by however many threads the graph is run.
 * That is so of an optimizer's slots, of running statistics and of averages; a parameter is read by the very node that writes it, and by layers below.
 * @param step lowered
 * @returns their names
 */
export function writtenInPlace({ graph, variables }: TrainingGraph): ReadonlySet<string> {
  const producers = new Map<Value, Node>();
  const readers = new Map<Value, Node[]>();
  for (const node of graph.nodes) {
    for (const value of node.outputs) producers.set(value, node);
    for (const value of node.inputs) if (value) readers.set(value, [...(readers.get(value) ?? []), node]);
  }
  const known = new Map<Node, ReadonlySet<Node>>();
  const before = (node: Node): ReadonlySet<Node> => {
    const found = known.get(node) ?? nodesBefore(node, producers);
    known.set(node, found);
    return found;
  };
  const names = variables.flatMap((variable) => {
    const writer = producers.get(variable.after);
    const reading = readers.get(variable.before) ?? [];
    const isRead = (node: Node): boolean =>
      node === writer ? addsTo(node, variable.before) : COMPUTING.has(node.op) && before(writer!).has(node);
    const isSafe = writer !== undefined && reading.every(isRead);
    return isSafe && !graph.outputs.includes(variable.before) ? [variable.name] : [];
  });
  return new Set(names);
}

/** Whether it is a product that begins with what is added to it: ONNX Runtime copies C to the result, here onto itself, and adds A · B. @see addInGemm */
const addsTo = ({ op, inputs: [a, b, c] }: Node, value: Value): boolean => op === "Gemm" && c === value && a !== value && b !== value;

/** Nodes whose results a node depends on, the nearest ones. */
function nodesBefore(node: Node, producers: ReadonlyMap<Value, Node>): ReadonlySet<Node> {
  const seen = new Set<Node>();
  let edge: readonly Node[] = [node];
  for (let distance = 0; distance < FURTHEST; distance++) {
    const next = new Set(edge.flatMap(({ inputs }) => inputs.flatMap((value) => (value && producers.get(value)) ?? [])));
    edge = [...next].filter((one) => !seen.has(one));
    for (const one of edge) seen.add(one);
  }
  return seen;
}
