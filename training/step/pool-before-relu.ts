import { countUses, type Graph, type Node } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";

/**
 * MaxPool(Relu(x)) → Relu(MaxPool(x)), where nothing else reads Relu's output: the same values and the same gradients, from a quarter of the pixels.
 * Where a window's largest is positive it is the same pixel; where it is not, relu lets no gradient through either way.
 */
export function poolBeforeRelu(graph: Graph): Graph {
  const uses = countUses(graph);
  const relus = new Map(graph.nodes.filter((n) => n.op === "Relu" && uses.get(n.outputs[0]) === 1).map((n) => [n.outputs[0], n]));
  const swapped = new Map<Node, Node>(); // pool → relu
  for (const node of graph.nodes) {
    const relu = node.op === "MaxPool" && node.inputs[0] ? relus.get(node.inputs[0]) : undefined;
    if (relu) swapped.set(node, relu);
  }
  if (swapped.size === 0) return graph;
  const moved = new Set(swapped.values());
  const g = graphBuilder({ ...graph, nodes: [], outputs: [] });
  const bound = new Map(graph.inputs.map((value) => [value, value]));
  const at = (value: (typeof graph.inputs)[number]) => bound.get(value) ?? value;
  for (const node of graph.nodes) {
    if (moved.has(node)) {
      bound.set(node.outputs[0], at(node.inputs[0]!));
      continue;
    }
    const outputs = g.addAll(
      node.op,
      node.inputs.map((value) => value && at(value)),
      node.attributes,
      node.name,
    );
    const relu = swapped.get(node);
    const results = relu ? [g.add("Relu", [outputs[0]], {}, relu.name)] : outputs;
    results.forEach((value, i) => {
      bound.set(node.outputs[i], value);
    });
  }
  return g.build(graph.name, graph.outputs.map(at));
}
