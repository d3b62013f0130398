import { sizeOf } from "../../core/tensor.ts";
import type { Attributes } from "../../models/graph/graph.ts";
import { array64, number, numbers, type ReferenceFunction, required } from "./array.ts";
import { BEYOND, countWindows, tapTable, windowOf } from "./windows.ts";

/** The windows of a pool over x [N, C, …]: y's shape, and for each element of y its pixels in x (flat, row-major) and how many pixels it may count. */
function eachWindow(
  x: readonly number[],
  attributes: Attributes,
  visit: (y: number, pixels: readonly number[], counted: number) => void,
): number[] {
  const size = x.slice(2);
  const window = windowOf(attributes, numbers(attributes, "kernel_shape", []));
  const counts = countWindows(size, window, number(attributes, "ceil_mode", 0) !== 0);
  const table = tapTable(size, counts, window);
  const [taps, windows, image] = [sizeOf(window.kernel), sizeOf(counts), sizeOf(size)];
  const withPadding = number(attributes, "count_include_pad", 0) !== 0;
  for (let at = 0; at < x[0] * x[1] * windows; at++) {
    const seen = Array.from(table.subarray((at % windows) * taps, ((at % windows) + 1) * taps));
    const inside = seen.filter((pixel) => pixel >= 0);
    const counted = withPadding ? seen.filter((pixel) => pixel !== BEYOND).length : inside.length;
    visit(
      at,
      inside.map((pixel) => Math.floor(at / windows) * image + pixel),
      counted,
    );
  }
  return [x[0], x[1], ...counts];
}

export const MaxPool: ReferenceFunction = (inputs, attributes) => {
  const [x] = required(inputs, 1);
  const y: number[] = [];
  const shape = eachWindow(x.shape, attributes, (at, pixels) => {
    y[at] = Math.max(...pixels.map((pixel) => x.data[pixel]));
  });
  return [array64(shape, y)];
};

/** dy of a window goes to the first pixel, in row-major order, that no other one in the window exceeds. */
export const MaxPoolGradient: ReferenceFunction = (inputs, attributes) => {
  const [x, , dy] = required(inputs, 3);
  const dx = array64(x.shape);
  eachWindow(x.shape, attributes, (at, pixels) => {
    const first = pixels.find((pixel) => pixels.every((other) => x.data[other] <= x.data[pixel]));
    if (first !== undefined) dx.data[first] += dy.data[at];
  });
  return [dx];
};

export const AveragePool: ReferenceFunction = (inputs, attributes) => {
  const [x] = required(inputs, 1);
  const y: number[] = [];
  const shape = eachWindow(x.shape, attributes, (at, pixels, counted) => {
    y[at] = pixels.reduce((sum, pixel) => sum + x.data[pixel], 0) / counted;
  });
  return [array64(shape, y)];
};

export const AveragePoolGradient: ReferenceFunction = (inputs, attributes) => {
  const [dy] = required(inputs, 1);
  const dx = array64(numbers(attributes, "input_shape", []));
  eachWindow(dx.shape, attributes, (at, pixels, counted) => {
    for (const pixel of pixels) dx.data[pixel] += dy.data[at] / counted;
  });
  return [dx];
};

export const GlobalAveragePool: ReferenceFunction = (inputs) => {
  const [x] = required(inputs, 1);
  const pixels = sizeOf(x.shape.slice(2));
  const y = array64([x.shape[0], x.shape[1], ...x.shape.slice(2).map(() => 1)]);
  for (let i = 0; i < x.data.length; i++) y.data[Math.floor(i / pixels)] += x.data[i] / pixels;
  return [y];
};

export const GlobalMaxPool: ReferenceFunction = (inputs) => {
  const [x] = required(inputs, 1);
  const pixels = sizeOf(x.shape.slice(2));
  const y = array64(x.shape.map((size, axis) => (axis < 2 ? size : 1)));
  for (let i = 0; i < y.data.length; i++) y.data[i] = Math.max(...x.data.subarray(i * pixels, (i + 1) * pixels));
  return [y];
};
