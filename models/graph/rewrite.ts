import { GraphBuilder } from "./builder.ts";
import type { Graph, Node, Value } from "./graph.ts";
import type { OpTable } from "./op.ts";

/** What a node becomes: values in place of its outputs; undefined keeps it as it is. `node` has its inputs already rewritten, `original` is the graph's own. */
export type Rewriting = (g: GraphBuilder, node: Node, original: Node) => readonly Value[] | undefined;

/**
 * A graph with some of its nodes written anew, in the same order. Inputs and initializers keep their identity; computed values are new.
 * @returns the graph, and `at`, which finds an old value's successor.
 */
export function rewriteNodes(
  graph: Graph,
  ops: OpTable,
  rewriting: Rewriting,
): { readonly graph: Graph; readonly at: (value: Value) => Value } {
  const g = new GraphBuilder(ops, { ...graph, nodes: [], outputs: [] });
  const successors = new Map<Value, Value>();
  const at = (value: Value): Value => successors.get(value) ?? value;
  for (const original of graph.nodes) {
    const node = { ...original, inputs: original.inputs.map((value) => value && at(value)) };
    const outputs = rewriting(g, node, original) ?? g.addAll(node.op, node.inputs, node.attributes, node.name);
    outputs.forEach((value, i) => {
      successors.set(original.outputs[i], value);
    });
  }
  return { graph: g.build(graph.name, graph.outputs.map(at)), at };
}
