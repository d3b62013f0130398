import { GraphBuilder } from "./builder.ts";
import type { Graph, Value } from "./graph.ts";
import type { OpTable } from "./op.ts";

/**
 * The same graph for one batch size: all shapes are known. Initializers keep their identity; inputs and computed values are new.
 * @throws ShapeError where the graph cannot take this batch size.
 */
export function withBatch(graph: Graph, batch: number, ops: OpTable): Graph {
  const g = new GraphBuilder(ops, { ...graph, inputs: [], nodes: [], outputs: [] });
  const bound = new Map<Value, Value>();
  const at = (value: Value): Value => bound.get(value) ?? value;
  for (const input of graph.inputs)
    bound.set(
      input,
      g.input(
        input.name,
        input.dtype,
        input.shape.map((d) => (d === "N" ? batch : d)),
      ),
    );
  for (const node of graph.nodes)
    g.addAll(
      node.op,
      node.inputs.map((value) => value && at(value)),
      node.attributes,
      node.name,
    ).forEach((value, i) => {
      bound.set(node.outputs[i], value);
    });
  return g.build(graph.name, graph.outputs.map(at));
}
