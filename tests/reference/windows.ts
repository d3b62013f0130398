import { sizeOf } from "../../core/tensor.ts";
import type { Attributes } from "../../models/graph/graph.ts";
import { numbers, offsets, stridesOf } from "./array.ts";

/** A tap that lies on padding. */
export const PADDING = -1;
/** A tap that lies behind the padding, as the last window of ceil_mode may. */
export const BEYOND = -2;

/** A window's attributes; axis i is padded by pads[i] before and pads[i + axes] behind. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
}

export const windowOf = (attributes: Attributes, kernel: readonly number[]): Window => ({
  kernel,
  strides: numbers(
    attributes,
    "strides",
    kernel.map(() => 1),
  ),
  pads: numbers(
    attributes,
    "pads",
    [...kernel, ...kernel].map(() => 0),
  ),
  dilations: numbers(
    attributes,
    "dilations",
    kernel.map(() => 1),
  ),
});

/** How many windows fit along each axis. With `ceil` one may hang over the end, but none may start in the padding there. */
export const countWindows = (size: readonly number[], { kernel, strides, pads, dilations }: Window, ceil: boolean): number[] =>
  size.map((length, i) => {
    const room = length + pads[i] + pads[i + size.length] - (dilations[i] * (kernel[i] - 1) + 1);
    const count = (ceil ? Math.ceil(room / strides[i]) : Math.floor(room / strides[i])) + 1;
    return ceil && (count - 1) * strides[i] >= length + pads[i] ? count - 1 : count;
  });

/**
 * The pixel that each tap of each window sees: [windows, taps], both in row-major order.
 * @returns flat pixel indices into an image of `size`, or PADDING, or BEYOND.
 */
export function tapTable(size: readonly number[], counts: readonly number[], { kernel, strides, pads, dilations }: Window): Int32Array {
  const taps = sizeOf(kernel);
  const table = new Int32Array(sizeOf(counts) * taps);
  const pixelStrides = stridesOf(size);
  const axes = size.map((_, i) => i);
  const coordinates = (shape: readonly number[]) =>
    axes.map((i) =>
      offsets(
        shape,
        axes.map((j) => (i === j ? 1 : 0)),
      ),
    );
  const window = coordinates(counts);
  const tap = coordinates(kernel);
  for (let at = 0; at < table.length; at++) {
    const [w, t] = [Math.floor(at / taps), at % taps];
    const place = axes.map((i) => window[i][w] * strides[i] + tap[i][t] * dilations[i] - pads[i]);
    if (place.every((p, i) => p >= 0 && p < size[i])) table[at] = place.reduce((sum, p, i) => sum + p * pixelStrides[i], 0);
    else table[at] = place.some((p, i) => p >= size[i] + pads[i + size.length]) ? BEYOND : PADDING;
  }
  return table;
}
