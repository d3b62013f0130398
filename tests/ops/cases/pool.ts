import type { Attributes } from "../../../models/graph/graph.ts";
import { fromTensor, toTensor } from "../../reference/array.ts";
import { REFERENCE } from "../../reference/index.ts";
import { distinct, makeCase, normal } from "./case.ts";

type Shape = readonly number[];

/** Window, stride and padding of a square pool. */
const square = (kernel: number, stride: number, pad = 0): Attributes => ({
  kernel_shape: [kernel, kernel],
  strides: [stride, stride],
  pads: [pad, pad, pad, pad],
});

const WINDOWS: readonly (readonly [string, Shape, Attributes])[] = [
  ["2×2 s2", [2, 2, 4, 6], square(2, 2)],
  ["2×2 s2 on odd sizes", [2, 2, 5, 7], square(2, 2)],
  ["3×3 s2 p1", [2, 2, 6, 6], square(3, 2, 1)],
  ["3×3 s2 p1 on odd sizes", [1, 2, 7, 5], square(3, 2, 1)],
  ["3×3 s2, overlapping", [2, 1, 7, 7], square(3, 2)],
  ["3×3 s1", [1, 2, 5, 5], square(3, 1)],
  ["3×3 s1 p1", [2, 1, 4, 4], square(3, 1, 1)],
  ["2×2 s1, stride left out", [1, 1, 4, 3], { kernel_shape: [2, 2] }],
  ["1×1 s2", [1, 2, 5, 4], square(1, 2)],
  ["stride beyond the window", [1, 1, 8, 7], square(2, 3)],
  ["everything different on each side", [2, 1, 6, 7], { kernel_shape: [3, 2], strides: [2, 3], pads: [1, 0, 2, 1] }],
  ["as large as the image", [2, 2, 3, 5], { kernel_shape: [3, 5] }],
  ["single pixel", [1, 1, 1, 1], { kernel_shape: [1, 1] }],
  ["single pixel, padded", [2, 1, 1, 1], square(3, 2, 1)],
  ["ceil_mode 3×3 s2", [1, 2, 6, 7], { ...square(3, 2), ceil_mode: 1 }],
  ["ceil_mode 2×2 s2 on odd sizes", [1, 1, 5, 5], { ...square(2, 2), ceil_mode: 1 }],
  ["ceil_mode, padded", [1, 1, 6, 5], { ...square(3, 2, 1), ceil_mode: 1 }],
  ["ceil_mode: a window that would start in the padding is dropped", [1, 1, 4, 6], { ...square(2, 3, 1), ceil_mode: 1 }],
  ["dilated", [1, 1, 6, 7], { kernel_shape: [2, 3], dilations: [3, 2] }],
  ["dilated, strided, padded", [1, 2, 7, 6], { kernel_shape: [2, 2], dilations: [2, 2], strides: [2, 1], pads: [1, 1, 0, 0] }],
  ["1-D", [2, 2, 7], { kernel_shape: [3], strides: [2], pads: [1, 1] }],
  ["3-D", [1, 2, 4, 4, 3], { kernel_shape: [2, 2, 1], strides: [2, 2, 1] }],
  ["3-D, batch innermost, 3×3 s2 p1", [1, 2, 5, 5, 3], { kernel_shape: [3, 3, 1], strides: [2, 2, 1], pads: [1, 1, 0, 1, 1, 0] }],
];

export const MaxPool = WINDOWS.map(([name, shape, attributes]) => makeCase("MaxPool", name, [distinct(...shape)], { attributes }));

/** AveragePool is used without dilations. */
export const AveragePool = WINDOWS.filter(([, , attributes]) => !attributes.dilations).flatMap(([name, shape, attributes]) => [
  makeCase("AveragePool", name, [normal(...shape)], { attributes }),
  ...(attributes.pads
    ? [makeCase("AveragePool", `${name}, padding counts`, [normal(...shape)], { attributes: { ...attributes, count_include_pad: 1 } })]
    : []),
]);

const IMAGES = [
  [2, 3, 4, 5],
  [1, 2, 1, 1],
  [2, 2, 7],
  [1, 2, 2, 3, 2],
];
export const GlobalAveragePool = IMAGES.map((shape) => makeCase("GlobalAveragePool", `[${shape}]`, [normal(...shape)]));
export const GlobalMaxPool = IMAGES.map((shape) => makeCase("GlobalMaxPool", `[${shape}]`, [distinct(...shape)]));

export const MaxPoolGradient = MaxPool.map((c) => {
  const [y] = REFERENCE.MaxPool([fromTensor(c.inputs[0]!)], c.attributes);
  return makeCase("MaxPoolGradient", c.name, [() => c.inputs[0]!, () => toTensor(y), normal(...y.shape)], { attributes: c.attributes });
});

export const AveragePoolGradient = AveragePool.map((c) => {
  const [y] = REFERENCE.AveragePool([fromTensor(c.inputs[0]!)], c.attributes);
  const attributes = { ...c.attributes, input_shape: c.inputs[0]!.shape };
  return makeCase("AveragePoolGradient", c.name, [normal(...y.shape)], { attributes });
});
