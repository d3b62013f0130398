import { GraphBuilder } from "./builder.ts";
import { factorOf, type Graph, isOfBatch, type Value } from "./graph.ts";
import type { OpTable } from "./op.ts";
import { rewriteNodes } from "./rewrite.ts";

/**
 * The same graph for one batch size: all shapes are known. Initializers keep their identity; inputs and computed values are new.
 * @throws ShapeError where the graph cannot take this batch size.
 */
export function withBatch(graph: Graph, batch: number, ops: OpTable): Graph {
  const g = new GraphBuilder(ops);
  const bound = new Map<Value, Value>();
  for (const input of graph.inputs) {
    const shape = input.shape.map((d) => (isOfBatch(d) ? factorOf(d) * batch : d));
    bound.set(input, g.input(input.name, input.dtype, shape));
  }
  const at = (value: Value): Value => bound.get(value) ?? value;
  const nodes = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map((value) => value && at(value)) }));
  const fed = { ...graph, inputs: graph.inputs.map(at), nodes, outputs: graph.outputs.map(at) };
  return rewriteNodes(fed, ops, () => undefined).graph;
}
