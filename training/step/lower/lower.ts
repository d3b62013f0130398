import { type Graph, knownShape, type Value } from "../../../models/graph/graph.ts";
import { graphBuilder } from "../../../models/ops/index.ts";
import { prune } from "../prune.ts";
import type { Selection } from "../select.ts";
import { giveWholeRank } from "../whole-rank.ts";
import { convert, type Layout } from "./formulation.ts";

/**
 * The graph in plain ONNX operators: each node by the formulation selected for it, with transposes where layouts meet. Inputs and outputs are standard.
 * @returns the same outputs, in the same order
 */
export function lower(graph: Graph, selection: Selection): Graph {
  const g = graphBuilder({ ...graph, nodes: [], outputs: [] });
  const written = new Map<Value, { readonly layout: Layout; readonly value: Value }>();
  const converted = new Map<Value, Value>();
  const read = (value: Value, layout: Layout): Value => {
    const source = written.get(value) ?? { layout: "standard", value };
    if (source.layout === layout) return source.value;
    const known = converted.get(value) ?? convert(g, source.value, knownShape(value), layout);
    converted.set(value, known);
    return known;
  };
  for (const node of graph.nodes) {
    const { formulation, plan } = selection.get(node)!;
    const inputs = node.inputs.map((value, i) => value && read(value, plan.inputs[i]));
    const outputs = g.within(node.name, () => formulation.emit(g, node, inputs));
    outputs.forEach((value, i) => {
      written.set(node.outputs[i], { layout: plan.outputs[i], value });
    });
  }
  const outputs = graph.outputs.map((value) => read(value, "standard"));
  return prune(giveWholeRank(g.build(graph.name, outputs)));
}
