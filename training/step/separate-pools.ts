import type { Graph, Value } from "../../models/graph/graph.ts";
import { type WindowAttributes, windowOf } from "../../models/ops/conv.ts";
import { graphBuilder } from "../../models/ops/index.ts";

/**
 * A max pool as a pool along the width and then one along the height: the same maxima. Each gradient then routes along one axis only, to the first row that
 * holds the maximum and in it to the first column, which is the first pixel in row order; and the maxima of the rows are computed once.
 */
export function separatePools(graph: Graph): Graph {
  const g = graphBuilder({ ...graph, nodes: [], outputs: [] });
  const bound = new Map<Value, Value>();
  const at = (value: Value): Value => bound.get(value) ?? value;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((value) => value && at(value));
    const window = node.op === "MaxPool" ? windowOf(node.attributes as unknown as WindowAttributes) : undefined;
    if (window?.kernel.length !== 2 || window.kernel[0] === 1 || window.kernel[1] === 1) {
      g.addAll(node.op, inputs, node.attributes, node.name).forEach((value, i) => {
        bound.set(node.outputs[i], value);
      });
      continue;
    }
    const along = (axis: 0 | 1) => ({
      ...node.attributes,
      kernel_shape: window.kernel.map((k, i) => (i === axis ? k : 1)),
      strides: window.strides.map((s, i) => (i === axis ? s : 1)),
      dilations: window.dilations.map((d, i) => (i === axis ? d : 1)),
      pads: window.pads.map((p, i) => (i % 2 === axis ? p : 0)),
    });
    const rows = g.add("MaxPool", inputs, along(1), `${node.name}/rows`);
    bound.set(node.outputs[0], g.add("MaxPool", [rows], along(0), node.name));
  }
  return g.build(graph.name, graph.outputs.map(at));
}
