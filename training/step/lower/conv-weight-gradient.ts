import { int64 } from "../../../core/tensor.ts";
import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { windowOf } from "../../../models/ops/conv.ts";
import { padAxes, slice } from "../../../models/ops/movement.ts";
import { reshape } from "../../../models/ops/shared.ts";
import { convCost, convOnGpu, imageByImageCost, isGrouped, sizes } from "./conv.ts";
import { productsOfRows } from "./conv-weight-gradient-depthwise.ts";
import { type Formulation, GPUS, NOT_ON_WEBGPU, only, passCost, sizeOfValue } from "./formulation.ts";

const measure = (node: Node) => {
  const [x, dy] = node.inputs;
  const measured = sizes(node, x!, dy!, knownShape(node.outputs[0]));
  return { ...measured, window: windowOf(measured.attributes), input: knownShape(x!).slice(2), output: knownShape(dy!).slice(2) };
};

/** Up to so many numbers the columns are written out: 256 MB. */
const MOST_COLUMNS = 2 ** 26;

/** What the windows see of x, and what the last window's last tap reaches behind the image: where that is negative, those pixels are never seen and go. */
function seenOf(g: GraphBuilder, node: Node, x: Value): { readonly seen: Value; readonly behind: readonly number[] } {
  const { window, input, output } = measure(node);
  const { kernel, strides, dilations, pads } = window;
  const behind = [0, 1].map((i) => (output[i] - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - input[i] - pads[i]);
  const seen = behind.reduce((value, extra, i) => (extra < 0 ? slice(g, value, i + 2, 0, input[i] + extra) : value), x);
  return { seen, behind };
}

/**
 * One dilated 3-D convolution: x as [1, G, H, W, N · C/G], dy as its filters [K, 1, oH, oW, N]. The forward stride is its dilation and the forward dilation
 * its stride; along the last axis each filter skips C/G places, so that the C/G outputs there are the channels.
 */
const oneConv: Formulation = {
  name: "one dilated convolution, innermost",
  plan(node) {
    const { operations, attributes } = measure(node);
    if (node.outputs[0].shape.length !== 4) return undefined;
    const [filters, channels] = knownShape(node.outputs[0]);
    const perCopy = 0.25 + 3 / channels; // numbers are copied by runs of C
    return {
      inputs: ["innermost", "innermost"],
      outputs: ["standard"],
      cost: convCost(operations, filters / attributes.group, perCopy) + 2 * passCost([node.inputs[0]]),
    };
  },
  emit(g, node, [x, dy]) {
    const { batch, window, input, output, attributes } = measure(node);
    const { kernel, strides, dilations, pads } = window;
    const [filters, channels] = knownShape(node.outputs[0]);
    const { group } = attributes;
    const { seen, behind } = seenOf(g, node, x!);
    const [height, width] = [0, 1].map((i) => input[i] + Math.min(0, behind[i]));
    const channelsFirst = reshape(g, seen, [group, channels, height * width * batch]);
    const channelsLast = g.add("Transpose", [channelsFirst], { perm: [0, 2, 1] });
    const image = reshape(g, channelsLast, [1, group, height, width, batch * channels]);
    const filtersOf = reshape(g, dy!, [filters, 1, ...output, batch]);
    const dw = g.add("Conv", [image, filtersOf], {
      kernel_shape: [...output, batch],
      strides: [...dilations, 1],
      dilations: [...strides, channels],
      pads: [pads[0], pads[1], 0, Math.max(0, behind[0]), Math.max(0, behind[1]), 0],
      group,
    });
    const taps = g.add("Transpose", [reshape(g, dw, [filters, kernel[0] * kernel[1], channels])], { perm: [0, 2, 1] });
    return [reshape(g, taps, knownShape(node.outputs[0]), node.name)];
  },
};

/** Of 1×1 kernels: x's pixels, those that a stride keeps, as they lie, [C, oH · oW · N], and dy: one product over the pixels, the longer of K and C its rows. */
const pixelProducts: Formulation = {
  name: "pixels and one Gemm, innermost",
  plan(node) {
    const { operations, attributes, window } = measure(node);
    const [filters, channels, ...taps] = knownShape(node.outputs[0]);
    if (taps.length !== 2 || taps.some((tap) => tap !== 1) || attributes.group !== 1) return undefined;
    const copied = window.strides.every((s) => s === 1) ? 0 : 0.6 * sizeOfValue(node.inputs[1]!) * (channels / filters);
    return { inputs: ["innermost", "innermost"], outputs: ["standard"], cost: 1.3 * convCost(operations, filters, 0) + copied };
  },
  emit(g, node, [x, dy]) {
    const { batch, output } = measure(node);
    const [filters, channels] = knownShape(node.outputs[0]);
    const count = output[0] * output[1] * batch;
    const [seen] = tapViews(g, node, x!, 2);
    const [given, taken] = [reshape(g, dy!, [filters, count]), reshape(g, seen, [channels, count])];
    if (filters >= channels) return [reshape(g, g.add("Gemm", [given, taken], { transB: 1 }), knownShape(node.outputs[0]), node.name)];
    const product = g.add("Gemm", [taken, given], { transB: 1 });
    return [reshape(g, g.add("Transpose", [product], { perm: [1, 0] }), knownShape(node.outputs[0]), node.name)];
  },
};

/** For few channels: every tap's view of x as rows, [k · k · C, oH · oW · N], times dyᵀ. */
const columns: Formulation = {
  name: "columns and one Gemm, innermost",
  plan(node) {
    const { operations, attributes } = measure(node);
    const [filters, channels, ...taps] = knownShape(node.outputs[0]);
    const numbers = sizeOfValue(node.inputs[1]!) * ((channels * taps[0] * taps[1]) / filters);
    if (taps.length !== 2 || taps.every((tap) => tap === 1) || attributes.group !== 1 || numbers > MOST_COLUMNS) return undefined;
    return { inputs: ["innermost", "innermost"], outputs: ["standard"], cost: 1.3 * convCost(operations, filters, 0) + 0.6 * numbers };
  },
  emit(g, node, [x, dy]) {
    const { batch, output } = measure(node);
    const [filters, channels, ...taps] = knownShape(node.outputs[0]);
    const pixels = output[0] * output[1] * batch;
    const rows = reshape(g, g.add("Concat", tapViews(g, node, x!, 2), { axis: 1 }), [taps[0] * taps[1] * channels, pixels]);
    const product = g.add("Gemm", [rows, reshape(g, dy!, [filters, pixels])], { transB: 1 });
    const filtersFirst = g.add("Transpose", [reshape(g, product, [taps[0] * taps[1], channels, filters])], { perm: [2, 1, 0] });
    return [reshape(g, filtersFirst, knownShape(node.outputs[0]), node.name)];
  },
};

/** What each tap of the kernel saw of x, in row order: oH and oW along two axes, in place of H and W. */
function tapViews(g: GraphBuilder, node: Node, x: Value, axis: number): Value[] {
  const { window, output } = measure(node);
  const { kernel, strides, dilations, pads } = window;
  const padded = padAxes(g, x, [
    [axis, pads[0], pads[2]],
    [axis + 1, pads[1], pads[3]],
  ]);
  if ([...kernel, ...strides].every((n) => n === 1)) return [padded];
  const views: Value[] = [];
  for (let row = 0; row < kernel[0]; row++)
    for (let column = 0; column < kernel[1]; column++) {
      const starts = [row * dilations[0], column * dilations[1]];
      const ends = starts.map((start, i) => start + (output[i] - 1) * strides[i] + 1);
      const lists = [starts, ends, [axis, axis + 1], strides].map((list) => g.initializer("tap", int64(list)));
      views.push(g.add("Slice", [padded, ...lists]));
    }
  return views;
}

/** One 2-D convolution of the images by dy, with the batch in the place of the channels: the forward stride is its dilation and the forward dilation its stride. */
const exchanged: Formulation = {
  name: "batch and channels exchanged, standard",
  plan(node) {
    const { operations, outputPixels } = measure(node);
    if (node.outputs[0].shape.length !== 4 || isGrouped(node)) return undefined;
    const [filters] = knownShape(node.outputs[0]);
    return { inputs: ["standard", "standard"], outputs: ["standard"], cost: imageByImageCost(operations, filters, outputPixels) };
  },
  emit(g, node, [x, dy]) {
    const { seen, behind } = seenOf(g, node, x!);
    const { window, output } = measure(node);
    const { strides, dilations, pads } = window;
    const [images, filters] = [seen, dy!].map((value) => g.add("Transpose", [value], { perm: [1, 0, 2, 3] }));
    const attributes = {
      kernel_shape: output,
      strides: dilations,
      dilations: strides,
      pads: [pads[0], pads[1], Math.max(0, behind[0]), Math.max(0, behind[1])],
      group: 1,
    };
    const dw = convOnGpu(g, images, filters, undefined, attributes);
    return [g.add("Transpose", [dw], { perm: [1, 0, 2, 3] }, node.name)];
  },
};

/** Groups: every tap's view of x as rows of its group, [G, k · k · C/G, N · oH · oW], times dyᵀ [G, N · oH · oW, K/G], a matrix product for each group. */
const groupedColumns: Formulation = {
  name: "columns and a product for each group, standard",
  plan(node) {
    const { operations } = measure(node);
    if (node.outputs[0].shape.length !== 4 || !isGrouped(node)) return undefined;
    const [filters] = knownShape(node.outputs[0]);
    return { inputs: ["standard", "standard"], outputs: ["standard"], cost: convCost(operations, filters) };
  },
  emit(g, node, [x, dy]) {
    const { batch, output, attributes } = measure(node);
    const { group } = attributes;
    const [filters, channels, ...kernel] = knownShape(node.outputs[0]);
    const [taps, pixels, each] = [kernel[0] * kernel[1], output[0] * output[1], filters / group];
    const channelsFirst = g.add("Transpose", [x], { perm: [1, 0, 2, 3] });
    const views = tapViews(g, node, channelsFirst, 2).map((view) => reshape(g, view, [group, channels, batch * pixels]));
    const rows = g.add("Concat", views, { axis: 1 });
    const byGroup = g.add("Transpose", [reshape(g, dy!, [batch, group, each, pixels])], { perm: [1, 0, 3, 2] });
    const product = g.add("MatMul", [rows, reshape(g, byGroup, [group, batch * pixels, each])]);
    const filtersFirst = g.add("Transpose", [reshape(g, product, [group, taps, channels, each])], { perm: [0, 3, 2, 1] });
    return [reshape(g, filtersFirst, knownShape(node.outputs[0]), node.name)];
  },
};

/** WebGPU groups no 3-D convolution. */
export const convWeightGradient: readonly Formulation[] = [
  only(NOT_ON_WEBGPU, oneConv, isGrouped),
  pixelProducts,
  columns,
  productsOfRows,
  only(GPUS, exchanged),
  only(GPUS, groupedColumns),
];
