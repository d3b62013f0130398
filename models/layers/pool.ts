import { FivecropError } from "../../core/errors.ts";
import { float32, type Tensor } from "../../core/tensor.ts";
import { known } from "../graph/shape.ts";
import type { Layer } from "./layer.ts";

const pool =
  (op: "MaxPool" | "AveragePool", more: Readonly<Record<string, number>>) =>
  (kernel: number, options: { readonly stride?: number; readonly padding?: number } = {}): Layer => {
    const { stride = kernel, padding: p = 0 } = options;
    const attributes = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [p, p, p, p], ...more };
    return (x, scope) => scope.graph.add(op, [x], attributes, scope.path);
  };

/** The largest pixel of each window; the stride is the kernel's size where it is left out. */
export const maxPool2d = pool("MaxPool", {});

/** The largest pixel of each channel: [N, C, H, W] → [N, C, 1, 1]. */
export const globalMaxPool2d: Layer = (x, scope) => {
  const size = x.shape.slice(2).map((d) => known(d, "a spatial axis"));
  return scope.graph.add("MaxPool", [x], { kernel_shape: size, strides: size, pads: [0, 0, 0, 0] }, scope.path);
};

/** The mean of each window, padding included, as in PyTorch. */
export const averagePool2d = pool("AveragePool", { count_include_pad: 1 });

/** [size, outputs] with 1 / (window length) inside window i: from ⌊i · size / outputs⌋ to ⌈(i + 1) · size / outputs⌉. */
function averagingMatrix(size: number, outputs: number): Tensor<"float32"> {
  const matrix = new Float32Array(size * outputs);
  for (let i = 0; i < outputs; i++) {
    const from = Math.floor((i * size) / outputs);
    const to = Math.ceil(((i + 1) * size) / outputs);
    for (let at = from; at < to; at++) matrix[at * outputs + i] = 1 / (to - from);
  }
  return float32(matrix, [size, outputs]);
}

/**
 * Averages to a fixed size, [N, C, H, W] → [N, C, size, size], with windows as in PyTorch's AdaptiveAvgPool2d. ONNX has no such operator:
 * where windows differ in length it is two constant matrix products, Aᵀ · x · A.
 */
export const adaptiveAveragePool2d =
  (size: number): Layer =>
  (x, scope) => {
    const [height, width] = x.shape.slice(2).map((d) => known(d, "a spatial axis"));
    if (height < size || width < size)
      throw new FivecropError(`adaptive average pool to ${size}×${size}: the image has only ${height}×${width} pixels there`);
    if (size === 1) return scope.graph.add("GlobalAveragePool", [x], {}, scope.path);
    const columns = scope.constant("columns", averagingMatrix(width, size));
    const rows = averagingMatrix(height, size);
    const rowsT = float32(
      Array.from({ length: rows.data.length }, (_, i) => rows.data[(i % height) * size + Math.floor(i / height)]),
      [size, height],
    );
    const narrow = scope.graph.add("MatMul", [x, columns], {}, `${scope.path}/columns`);
    return scope.graph.add("MatMul", [scope.constant("rows", rowsT), narrow], {}, scope.path);
  };
