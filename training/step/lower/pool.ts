import { float32 } from "../../../core/tensor.ts";
import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { LOWEST, pixelsOfWindows, type Window } from "../../../models/graph/shape.ts";
import { type WindowAttributes, windowOf } from "../../../models/ops/conv.ts";
import { indicator } from "../../../models/ops/shared.ts";
import { padsWithBatchAxis, withBatchAxis } from "./conv.ts";
import { all, asItIs, type Formulation, type Layout, passCost } from "./formulation.ts";
import { type Sliding, scatterBack, seenAt } from "./windows.ts";

/** A pool's attributes in a layout: batch innermost, the batch is a third spatial axis with windows of 1. */
function poolAttributes(node: Node, layout: Layout, { kernel, strides, pads, dilations }: Window) {
  const { kernel_shape: _, strides: _s, pads: _p, dilations: _d, ...more } = node.attributes;
  const wide = layout === "innermost";
  return {
    ...more,
    kernel_shape: wide ? withBatchAxis(kernel, 1) : kernel,
    strides: wide ? withBatchAxis(strides, 1) : strides,
    pads: wide ? padsWithBatchAxis(pads) : pads,
    ...(node.op.startsWith("MaxPool") && { dilations: wide ? withBatchAxis(dilations, 1) : dilations }),
  };
}

const windowOfNode = (node: Node): Window => windowOf(node.attributes as unknown as WindowAttributes);

const innermost: Formulation = {
  name: "innermost",
  plan: (node) =>
    node.inputs[0]!.shape.length === 4
      ? { inputs: ["innermost"], outputs: ["innermost"], cost: passCost([...node.inputs, ...node.outputs]) }
      : undefined,
  emit: (g, node, [x]) => [g.add(node.op, [x], poolAttributes(node, "innermost", windowOfNode(node)), node.name)],
};

export const pool: readonly Formulation[] = [asItIs((node) => 2 * passCost([...node.inputs, ...node.outputs])), innermost];

/** Windows along height (0) or width (1): axes 2 and 3 in both layouts. */
function slidingAlong(which: 0 | 1, input: readonly number[], output: readonly number[], window: Window): Sliding {
  return {
    axis: which + 2,
    size: input[which],
    outputs: output[which],
    kernel: window.kernel[which],
    stride: window.strides[which],
    dilation: window.dilations[which],
    before: window.pads[which],
  };
}

/** dy goes to the first place of each window that holds the maximum; what no earlier place took is the last one's. */
function toFirstMaximum(g: GraphBuilder, x: Value, maximum: Value, dy: Value, sliding: Sliding): Value {
  const places = seenAt(g, x, sliding, LOWEST);
  const last = places.findLastIndex((value) => value !== undefined);
  let left = dy;
  const given = places.map((value, i) => {
    if (i === last || !value) return i === last ? left : undefined;
    const taken = g.add("Mul", [left, indicator(g, g.add("Equal", [value, maximum]))]);
    left = g.add("Sub", [left, taken]);
    return taken;
  });
  return scatterBack(g, given, sliding);
}

const inLayouts = (
  passes: number,
  emit: (g: GraphBuilder, node: Node, inputs: readonly Value[], layout: Layout) => Value,
): readonly Formulation[] =>
  (["standard", "innermost"] as const).map((layout) => ({
    name: `separable, ${layout}`,
    plan: (node) =>
      node.outputs[0].shape.length === 4
        ? { inputs: all(layout, node.inputs), outputs: [layout], cost: passCost(node.outputs, passes) * (layout === "standard" ? 2 : 1) }
        : undefined,
    emit: (g, node, inputs) => [emit(g, node, inputs as readonly Value[], layout)],
  }));

/**
 * Exact with ties, overlapping and padded windows: maxima of rows along the width, then along the height; dy is routed along the height to the first row that
 * holds the maximum, then along the width to the first column. That is the first in row order, as in PyTorch.
 */
export const maxPoolGradient = inLayouts(6, (g, node, [x, y, dy], layout) => {
  const window = windowOfNode(node);
  const [input, output] = [knownShape(node.inputs[0]!).slice(2), knownShape(node.inputs[1]!).slice(2)];
  const alongWidth: Window = {
    kernel: [1, window.kernel[1]],
    strides: [1, window.strides[1]],
    pads: [0, window.pads[1], 0, window.pads[3]],
    dilations: [1, window.dilations[1]],
  };
  const rows = window.kernel[1] === 1 && window.strides[1] === 1 ? x : g.add("MaxPool", [x], poolAttributes(node, layout, alongWidth));
  const toRows = toFirstMaximum(g, rows, y, dy, slidingAlong(0, input, output, window));
  return toFirstMaximum(g, x, rows, toRows, slidingAlong(1, input, output, window));
});

/** dy / (pixels of the window), added to every pixel of the window, along the height and then the width. */
export const averagePoolGradient = inLayouts(3, (g, node, [dy], layout) => {
  const window = windowOfNode(node);
  const [input, output] = [knownShape(node.outputs[0]).slice(2), knownShape(node.inputs[0]!).slice(2)];
  const [heights, widths] = pixelsOfWindows(window, input, output, node.attributes.count_include_pad === 1);
  const shares = heights.flatMap((h) => widths.map((w) => 1 / (h * w)));
  const same = shares.every((share) => share === shares[0]);
  const shape = layout === "innermost" ? [...output, 1] : output;
  const share = g.add("Mul", [dy, same ? g.scalar(shares[0]) : g.initializer("shares", float32(shares, shape))]);
  return ([0, 1] as const).reduce((value, which) => {
    const sliding = slidingAlong(which, input, output, window);
    return scatterBack(g, Array<Value>(sliding.kernel).fill(value), sliding);
  }, share);
});
