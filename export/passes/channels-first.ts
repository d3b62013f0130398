import type { Graph, Value } from "../../models/graph/graph.ts";
import { rewriteNodes } from "../../models/graph/rewrite.ts";
import { graphBuilder, OPS } from "../../models/ops/index.ts";

const TO_LAST = [0, 2, 3, 1];

/**
 * A graph of images [N, H, W, C] as one of [N, C, H, W]: a transpose stands before it, which goes where the graph begins with the opposite one,
 * as Keras models do that were written for images with the channels last.
 */
export function channelsFirst(graph: Graph): Graph {
  const [images, ...others] = graph.inputs;
  const [N, H, W, C] = images.shape;
  const g = graphBuilder({ ...graph, nodes: [], outputs: [], inputs: others });
  const first = g.input(images.name, images.dtype, [N, C, H, W]);
  const last = g.add("Transpose", [first], { perm: TO_LAST }, `${images.name}/channels-last`);
  const started = g.build(graph.name, []);
  const at = (value: Value | undefined): Value | undefined => (value === images ? last : value);
  const nodes = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(at) }));
  const whole = { ...started, nodes: [...started.nodes, ...nodes], outputs: graph.outputs };
  const back = (perm: unknown): boolean => String(TO_LAST.map((_, i) => TO_LAST[Number((perm as readonly number[])[i])])) === "0,1,2,3";
  const shortened = rewriteNodes(whole, OPS, (_g, _node, original) =>
    original.op === "Transpose" && original.inputs[0] === last && back(original.attributes.perm) ? [first] : undefined,
  ).graph;
  const isRead = shortened.nodes.some((node, i) => i > 0 && node.inputs.some((value) => value === shortened.nodes[0].outputs[0]));
  return isRead ? shortened : { ...shortened, nodes: shortened.nodes.slice(1) };
}
