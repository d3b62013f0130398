import { countUses, type Graph, type Node, type Value } from "../../models/graph/graph.ts";
import { rewriteNodes } from "../../models/graph/rewrite.ts";
import { type ConvAttributes, type WindowAttributes, windowOf } from "../../models/ops/conv.ts";
import { OPS } from "../../models/ops/index.ts";

/**
 * MaxPool(Conv(images)) of windows of 2×2 that do not overlap → the largest of four convolutions at stride 2, one for each place in the window: the same pixels
 * by the same sums, and the first of equal ones in row order again. Neither the pool nor its gradient has pixels to take apart and to put together then: it is
 * for the network's first convolution alone, since images need no gradient, which would be four as well.
 */
export function convByPhases(graph: Graph): Graph {
  const uses = countUses(graph);
  const convs = new Map(
    graph.nodes.filter((node) => isFirst(graph, node) && uses.get(node.outputs[0]) === 1).map((n) => [n.outputs[0], n]),
  );
  const convOf = (node: Node): Node | undefined => (node.op === "MaxPool" && isPoolOfTwo(node) ? convs.get(node.inputs[0]!) : undefined);
  const replaced = new Set(graph.nodes.map(convOf));
  return rewriteNodes(graph, OPS, (g, node, original) => {
    if (replaced.has(original)) return [node.inputs[0]!];
    const conv = convOf(original);
    if (!conv) return undefined;
    const [top, left, bottom, right] = windowOf(conv.attributes as unknown as WindowAttributes).pads;
    const at = (down: number, across: number): Value => {
      const pads = [top - down, left - across, Math.max(0, bottom - 1 + down), Math.max(0, right - 1 + across)];
      return g.add("Conv", conv.inputs, { ...conv.attributes, strides: [2, 2], pads }, `${conv.name}/${down}${across}`);
    };
    const rows = [0, 1].map((down) => g.add("Max", [at(down, 0), at(down, 1)], {}, `${node.name}/row${down}`));
    return [g.add("Max", rows, {}, node.name)];
  }).graph;
}

/** Whether it is a convolution of the images at stride 1, of an even number of pixels each way, padded where a phase begins one pixel later. */
function isFirst(graph: Graph, node: Node): boolean {
  if (node.op !== "Conv" || !graph.inputs.includes(node.inputs[0]!) || node.outputs[0].shape.length !== 4) return false;
  const { strides, dilations, pads } = windowOf(node.attributes as unknown as WindowAttributes);
  const isEven = node.outputs[0].shape.slice(2).every((size) => Number(size) % 2 === 0);
  const isPlain = [...strides, ...dilations, (node.attributes as unknown as ConvAttributes).group].every((n) => n === 1);
  return isEven && isPlain && pads[0] > 0 && pads[1] > 0;
}

function isPoolOfTwo(node: Node): boolean {
  const { kernel, strides, dilations, pads } = windowOf(node.attributes as unknown as WindowAttributes);
  return [...kernel, ...strides].every((n) => n === 2) && dilations.every((n) => n === 1) && pads.every((n) => n === 0);
}
