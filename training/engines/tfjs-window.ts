import { type WindowAttributes, windowOf } from "../../models/ops/conv.ts";
import type { Site, Tf, TfTensor } from "./tfjs-kernel.ts";

/** A window that slides over height and width. */
export interface ImageWindow {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Of the image, where the window stands, of the output. */
  readonly input: readonly [number, number];
  readonly output: readonly [number, number];
  /** Before and behind each axis, up to the last pixel that a window sees. */
  readonly pads: readonly [readonly [number, number], readonly [number, number]];
}

const both = <T>(of: (axis: 0 | 1) => T): readonly [T, T] => [of(0), of(1)];

/** A node's window; along an axis that it has not, it is one pixel. */
export function imageWindowOf({ node, shape, output }: Site): ImageWindow {
  const { kernel, strides, pads, dilations } = windowOf(node.attributes as unknown as WindowAttributes);
  const [x, y] = [shape(0), output];
  const of = (list: readonly number[], axis: 0 | 1): number => list[axis] ?? 1;
  return {
    kernel: both((axis) => of(kernel, axis)),
    strides: both((axis) => of(strides, axis)),
    dilations: both((axis) => of(dilations, axis)),
    input: both((axis) => x[axis + 2] ?? 1),
    output: both((axis) => y[axis + 2] ?? 1),
    pads: both((axis) => {
      if (axis >= kernel.length) return [0, 0];
      const seen = (y[axis + 2] - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1;
      return [pads[axis], Math.max(0, seen - x[axis + 2] - pads[axis])];
    }),
  };
}

/** How far a window reaches. */
export const reachOf = ({ kernel, dilations }: ImageWindow): readonly [number, number] =>
  both((axis) => dilations[axis] * (kernel[axis] - 1) + 1);

/**
 * tensorflow's gradients know no explicit padding: what its own "same" does not stand for is a padded image and "valid".
 * @returns the padding to ask for, and the image for it.
 */
export function padding(
  tf: Tf,
  window: ImageWindow,
  fill = 0,
): { readonly pad: "same" | "valid"; readonly image: (x: TfTensor) => TfTensor } {
  const { strides, input, output, pads } = window;
  const reach = reachOf(window);
  if (pads.flat().every((p) => p === 0)) return { pad: "valid", image: (x) => x };
  const same = both((axis) => {
    const total = Math.max(0, (output[axis] - 1) * strides[axis] + reach[axis] - input[axis]);
    return (
      output[axis] === Math.ceil(input[axis] / strides[axis]) && pads[axis][0] === total >> 1 && pads[axis][1] === total - (total >> 1)
    );
  });
  if (same[0] && same[1]) return { pad: "same", image: (x) => x };
  const around: [number, number][] = [[0, 0], [...pads[0]], [...pads[1]], [0, 0]];
  return { pad: "valid", image: (x) => tf.pad(x, around, fill) };
}
