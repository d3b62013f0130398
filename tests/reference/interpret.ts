import { type Graph, knownShape, type Value } from "../../models/graph/graph.ts";
import { printNode, printType } from "../../models/graph/print.ts";
import { OPS, type OpName } from "../../models/ops/index.ts";
import { type Array64, fromTensor } from "./array.ts";
import { REFERENCE } from "./index.ts";

/**
 * Runs a graph in float64, node by node. Its dimensions must be known: bind the batch first.
 * @param feeds one array for each input of the graph, by name.
 * @returns every value of the graph.
 * @throws Error where a feed is missing, or where an operator's result has another type than the graph says.
 */
export function interpret(graph: Graph, feeds: Readonly<Record<string, Array64>>): ReadonlyMap<Value, Array64> {
  const values = new Map<Value, Array64>();
  const set = (value: Value, array: Array64 | undefined, where: string) => {
    const [expected, found] = [printType({ ...value, shape: knownShape(value) }), array ? printType(array) : "nothing"];
    if (!array || expected !== found) throw new Error(`interpret: ${where}: expected ${expected} for '${value.name}', received ${found}`);
    values.set(value, array);
  };
  for (const input of graph.inputs) set(input, feeds[input.name], "feeds");
  for (const [value, tensor] of graph.initializers) set(value, fromTensor(tensor), "initializers");
  for (const node of graph.nodes) {
    const outputs = REFERENCE[node.op as OpName](
      node.inputs.map((value) => value && values.get(value)),
      node.attributes,
    );
    node.outputs.forEach((value, i) => {
      set(value, outputs[i], printNode(node, OPS));
    });
  }
  return values;
}
