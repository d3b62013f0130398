import type { Attributes } from "../../../models/graph/graph.ts";
import { fromTensor } from "../../reference/array.ts";
import { REFERENCE } from "../../reference/index.ts";
import { type Case, makeCase, normal } from "./case.ts";

type Shape = readonly number[];

const conv = (name: string, x: Shape, w: Shape, attributes: Attributes = {}, bias = false): Case =>
  makeCase("Conv", name, [normal(...x), normal(...w), ...(bias ? [normal(w[0])] : [])], {
    attributes: { kernel_shape: w.slice(2), ...attributes },
  });

export const Conv = [
  conv("3×3, padded, bias", [2, 2, 4, 5], [3, 2, 3, 3], { pads: [1, 1, 1, 1] }, true),
  conv("1×1", [2, 3, 3, 3], [2, 3, 1, 1], {}, true),
  conv("1×1, stride 2", [2, 2, 5, 4], [3, 2, 1, 1], { strides: [2, 2] }),
  conv("stride 2, padded, the last column unseen", [2, 2, 5, 6], [2, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv("stride beyond the kernel", [1, 2, 7, 7], [2, 2, 2, 2], { strides: [3, 3] }),
  conv("strides and pads all different", [2, 1, 6, 7], [2, 1, 3, 2], { strides: [2, 3], pads: [2, 0, 1, 1] }, true),
  conv("dilated", [1, 2, 7, 6], [2, 2, 3, 2], { dilations: [2, 3] }),
  conv("dilated, strided, padded", [2, 1, 7, 7], [2, 1, 3, 3], { dilations: [2, 2], strides: [2, 1], pads: [2, 1, 2, 1] }),
  conv("groups", [2, 4, 4, 4], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }, true),
  conv("depthwise", [2, 3, 5, 5], [3, 1, 3, 3], { group: 3, pads: [1, 1, 1, 1] }, true),
  conv("depthwise, two filters a channel, stride 2", [2, 2, 6, 5], [4, 1, 3, 3], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }),
  conv("groups, dilated, stride 2", [1, 4, 7, 7], [4, 2, 2, 2], { group: 2, dilations: [2, 2], strides: [2, 2], pads: [1, 0, 0, 1] }),
  conv("kernel as large as the image", [2, 2, 3, 4], [3, 2, 3, 4], {}, true),
  conv("kernel as large as the padded image", [1, 1, 3, 3], [2, 1, 5, 5], { pads: [1, 1, 1, 1] }),
  conv("single pixel", [1, 1, 1, 1], [1, 1, 1, 1], {}, true),
  conv("single pixel, padded", [2, 2, 1, 1], [2, 2, 3, 3], { pads: [1, 1, 1, 1] }),
  conv("windows of padding only", [1, 1, 2, 2], [1, 1, 2, 2], { pads: [2, 2, 2, 2] }),
  conv("5×5, LeNet's first", [1, 1, 8, 8], [2, 1, 5, 5], { pads: [2, 2, 2, 2] }, true),
  conv("six channels of six images, four filters", [6, 6, 4, 4], [4, 6, 3, 3], { pads: [1, 1, 1, 1] }, true),
  conv("six filters, four channels", [2, 4, 4, 4], [6, 4, 3, 3], { pads: [1, 1, 1, 1] }),
  conv("1-D", [2, 2, 7], [3, 2, 3], { strides: [2], pads: [1, 0] }, true),
  conv("1-D, groups, dilated", [2, 2, 7], [2, 1, 3], { group: 2, dilations: [2], pads: [0, 2] }),
  conv("3-D", [1, 2, 3, 4, 3], [2, 2, 2, 3, 1], { strides: [1, 2, 1], pads: [0, 1, 0, 1, 1, 0] }, true),
  conv("3-D, batch innermost", [1, 2, 4, 4, 3], [3, 2, 3, 3, 1], { pads: [1, 1, 0, 1, 1, 0] }),
];

const transposed = (name: string, x: Shape, w: Shape, attributes: Attributes = {}, bias?: number): Case =>
  makeCase("ConvTranspose", name, [normal(...x), normal(...w), ...(bias ? [normal(bias)] : [])], {
    attributes: { kernel_shape: w.slice(2), ...attributes },
  });

export const ConvTranspose = [
  transposed("plain", [2, 2, 3, 3], [2, 3, 2, 2]),
  transposed("stride 2, padded, bias", [2, 2, 3, 2], [2, 3, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1] }, 3),
  transposed("output padding", [1, 2, 3, 3], [2, 2, 3, 3], { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 0] }),
  transposed("stride 3 beyond the kernel, output padding", [1, 1, 2, 3], [1, 2, 2, 2], { strides: [3, 3], output_padding: [2, 1] }),
  transposed("groups", [2, 4, 3, 3], [4, 2, 3, 3], { group: 2, pads: [1, 0, 0, 1] }, 4),
  transposed("depthwise, stride 2", [1, 3, 2, 2], [3, 1, 3, 3], { group: 3, strides: [2, 2], pads: [1, 1, 0, 0] }),
  transposed("dilated", [1, 2, 3, 3], [2, 1, 2, 3], { dilations: [2, 1], pads: [0, 1, 1, 1] }),
  transposed("1-D", [2, 2, 4], [2, 1, 3], { strides: [2], pads: [1, 1] }),
  transposed("3-D", [1, 1, 2, 2, 2], [1, 2, 2, 3, 1], { strides: [2, 1, 1] }),
  transposed("single pixel", [1, 1, 1, 1], [1, 1, 1, 1]),
];

const outputShape = (c: Case): Shape =>
  REFERENCE.Conv(
    c.inputs.map((t) => t && fromTensor(t)),
    c.attributes,
  )[0].shape;
const shapeOf = (c: Case, input: number): Shape => c.inputs[input]!.shape;

export const ConvInputGradient = Conv.map((c) =>
  makeCase("ConvInputGradient", c.name, [normal(...outputShape(c)), () => c.inputs[1]!], {
    attributes: { ...c.attributes, input_shape: shapeOf(c, 0) },
  }),
);

export const ConvWeightGradient = Conv.map((c) =>
  makeCase("ConvWeightGradient", c.name, [() => c.inputs[0]!, normal(...outputShape(c))], {
    attributes: { ...c.attributes, weight_shape: shapeOf(c, 1) },
  }),
);
