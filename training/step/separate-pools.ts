import type { Graph } from "../../models/graph/graph.ts";
import { rewriteNodes } from "../../models/graph/rewrite.ts";
import { type WindowAttributes, windowOf } from "../../models/ops/conv.ts";
import { OPS } from "../../models/ops/index.ts";

/**
 * A max pool as a pool along the width and then one along the height: the same maxima. Each gradient then routes along one axis only, to the first row that
 * holds the maximum and in it to the first column, which is the first pixel in row order; and the maxima of the rows are computed once.
 */
export function separatePools(graph: Graph): Graph {
  return rewriteNodes(graph, OPS, (g, node) => {
    if (node.op !== "MaxPool") return undefined;
    const window = windowOf(node.attributes as unknown as WindowAttributes);
    if (window.kernel.length !== 2 || window.kernel.includes(1)) return undefined;
    const along = (axis: 0 | 1) => ({
      ...node.attributes,
      kernel_shape: window.kernel.map((k, i) => (i === axis ? k : 1)),
      strides: window.strides.map((s, i) => (i === axis ? s : 1)),
      dilations: window.dilations.map((d, i) => (i === axis ? d : 1)),
      pads: window.pads.map((p, i) => (i % 2 === axis ? p : 0)),
    });
    const rows = g.add("MaxPool", node.inputs, along(1), `${node.name}/rows`);
    return [g.add("MaxPool", [rows], along(0), node.name)];
  }).graph;
}
