import { imagesFrom } from "./tfjs-images.ts";
import type { Kernel, Tf, TfTensor } from "./tfjs-kernel.ts";
import { type ImageWindow, imageWindowOf, padding } from "./tfjs-window.ts";

type Image = Parameters<Tf["maxPool"]>[0];

/** The pixels of every window side by side, so that dilated windows become neighbours. */
function gatherWindows(tf: Tf, { kernel, strides, dilations, output, pads }: ImageWindow): (x: TfTensor) => TfTensor {
  const places = ([0, 1] as const).map((axis) =>
    Int32Array.from(
      { length: output[axis] * kernel[axis] },
      (_, i) => Math.floor(i / kernel[axis]) * strides[axis] + (i % kernel[axis]) * dilations[axis],
    ),
  );
  const around: [number, number][] = [[0, 0], [...pads[0]], [...pads[1]], [0, 0]];
  return (x) => {
    const whole = tf.pad(x, around, Number.NEGATIVE_INFINITY);
    return tf.gather(tf.gather(whole, tf.tensor1d(places[0], "int32"), 1), tf.tensor1d(places[1], "int32"), 2);
  };
}

/** Its gradient goes to the first largest in row order, in tensorflow as well. */
export const maxPool: Kernel = imagesFrom((site) => {
  const { tf } = site;
  const window = imageWindowOf(site);
  const kernel: [number, number] = [...window.kernel];
  if (window.dilations.some((d) => d > 1)) {
    const gathered = gatherWindows(tf, window);
    return ([x]) => tf.maxPool(gathered(x) as Image, kernel, kernel, "valid");
  }
  const { pad, image } = padding(tf, window, Number.NEGATIVE_INFINITY);
  const strides: [number, number] = [...window.strides];
  return ([x]) => tf.maxPool(image(x) as Image, kernel, strides, pad);
});

/** How many pixels of each window count: those of the image, and of the padding that the node asks for where it counts. */
function counts({ kernel, strides, input, output }: ImageWindow, pads: readonly number[], includesPads: boolean): Float32Array {
  const along = (axis: 0 | 1): number[] =>
    Array.from({ length: output[axis] }, (_, i) => {
      const [before, behind] = [pads[axis] ?? 0, pads[axis + pads.length / 2] ?? 0];
      const from = i * strides[axis] - before;
      const [low, high] = includesPads ? [-before, input[axis] + behind] : [0, input[axis]];
      return Math.min(from + kernel[axis], high) - Math.max(from, low);
    });
  const [rows, columns] = [along(0), along(1)];
  return Float32Array.from(rows.flatMap((row) => columns.map((column) => row * column)));
}

/** tensorflow's mean over a zero-padded image, times the window's size, over how many pixels count. */
export const averagePool: Kernel = imagesFrom((site) => {
  const { tf, node } = site;
  const window = imageWindowOf(site);
  const size = window.kernel[0] * window.kernel[1];
  const pads = (node.attributes.pads ?? [0, 0, 0, 0]) as readonly number[];
  const counted = counts(window, pads.length === 2 ? [pads[0], 0, pads[1], 0] : pads, node.attributes.count_include_pad === 1);
  const factors = counted.map((n) => size / n);
  const uneven = factors.some((factor) => factor !== 1);
  const around: [number, number][] = [[0, 0], [...window.pads[0]], [...window.pads[1]], [0, 0]];
  const padded = window.pads.flat().some((p) => p > 0);
  const [kernel, strides]: [number, number][] = [[...window.kernel], [...window.strides]];
  return ([x]) => {
    const whole = padded ? tf.pad(x, around) : x;
    const y = tf.avgPool(whole as Image, kernel, strides, "valid");
    return uneven ? tf.mul(y, tf.tensor4d(factors, [1, ...window.output, 1])) : y;
  };
});

export const globalAveragePool: Kernel = imagesFrom(
  ({ tf }) =>
    ([x]) =>
      tf.mean(x, [1, 2], true),
  { merge: true },
);
