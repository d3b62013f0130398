import { following, repeatedTo } from "./tfjs-elementwise.ts";
import type { Kernel, TfTensor } from "./tfjs-kernel.ts";

/** The same numbers in the output's shape, which is known. */
export const toOutputShape: Kernel = {
  make:
    ({ tf, output }) =>
    ([x]) =>
      tf.reshape(x, [...output]),
};

export const transpose: Kernel = {
  make: ({ tf, node }) => {
    const perm = node.attributes.perm as readonly number[];
    return ([x]) => tf.transpose(x, [...perm]);
  },
};

export const expand: Kernel = {
  make:
    ({ tf, output }) =>
    ([x]) =>
      repeatedTo(tf, x, [...output]),
};

export const concat: Kernel = {
  place: following,
  make: ({ tf, node, axis }) => {
    const along = axis(node.attributes.axis as number);
    return (inputs) => tf.concat([...inputs], along);
  },
};

export const pad: Kernel = {
  place: following,
  make: ({ tf, numbers, inOrder, shape }) => {
    const pads = numbers(1)!;
    const [fill = 0] = numbers(2) ?? [];
    const size = shape(0);
    const rank = size.length;
    const grown = inOrder(size.map((_, i) => i)).map((i): [number, number] => [Math.max(0, pads[i]), Math.max(0, pads[i + rank])]);
    const begin = inOrder(size.map((_, i) => Math.max(0, -pads[i])));
    const kept = inOrder(size.map((d, i) => d + Math.min(0, pads[i]) + Math.min(0, pads[i + rank])));
    const crops = pads.some((p) => p < 0);
    return ([x]) => tf.pad(crops ? tf.slice(x, begin, kept) : x, grown, fill);
  },
};

interface Range {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** Ranges with a step of 1 are cut, others are gathered: tensorflow's strided slice has no gradient. */
export const slice: Kernel = {
  place: following,
  make: ({ tf, numbers, shape, output, axis }) => {
    const size = shape(0);
    const starts = numbers(1)!;
    const axes = numbers(3) ?? starts.map((_, i) => i);
    const steps = numbers(4) ?? starts.map(() => 1);
    const ranges = starts.map((from, i): Range => {
      const at = axes[i] < 0 ? axes[i] + size.length : axes[i];
      const last = steps[i] > 0 ? size[at] : size[at] - 1;
      const start = Math.min(Math.max(from < 0 ? from + size[at] : from, 0), last);
      return { axis: axis(at), start, step: steps[i], length: output[at] };
    });
    const gathered = ranges.filter(({ step }) => step !== 1);
    const cut = ranges.filter(({ step }) => step === 1);
    return ([x]) => {
      const begin = x.shape.map((_, i) => cut.find((range) => range.axis === i)?.start ?? 0);
      const kept = x.shape.map((d, i) => cut.find((range) => range.axis === i)?.length ?? d);
      return gathered.reduce(
        (y, { axis: at, start, step, length }) => {
          const indices = Int32Array.from({ length }, (_, i) => start + i * step);
          return tf.gather(y, tf.tensor1d(indices, "int32"), at);
        },
        tf.slice(x, begin, kept),
      );
    };
  },
};

export const gather: Kernel = {
  make: ({ tf, node, numbers, shape, axis }) => {
    const along = axis(node.attributes.axis as number);
    const size = shape(0)[along];
    const indices = Int32Array.from(numbers(1)!, (index) => (index < 0 ? index + size : index));
    const shapeOfIndices = [...shape(1)];
    return ([x]) => tf.gather(x, tf.tensor(indices, shapeOfIndices, "int32"), along);
  },
};

export const split: Kernel = {
  place: following,
  make: ({ tf, node, numbers, axis }) => {
    const along = axis(node.attributes.axis as number);
    const lengths = [...numbers(1)!];
    if (lengths.length === 1) return ([x]) => x; // tensorflow's gradient asks for two parts
    return ([x]) => tf.split(x, lengths, along);
  },
};

/** Each pixel is repeated along one axis after the other. */
export const resize: Kernel = {
  place: following,
  make: ({ tf, shape, output, inOrder }) => {
    const repeats = inOrder(shape(0).map((size, axis) => output[axis] / size));
    const repeat = (x: TfTensor, times: number, axis: number): TfTensor => {
      if (times === 1) return x;
      const [before, size, behind] = [x.shape.slice(0, axis), x.shape[axis], x.shape.slice(axis + 1)];
      const count = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
      const [rows, columns] = [count(before) * size, count(behind)];
      const repeated = tf.broadcastTo(tf.reshape(x, [rows, 1, columns]), [rows, times, columns]);
      return tf.reshape(repeated, [...before, size * times, ...behind]);
    };
    return ([x]) => repeats.reduce(repeat, x);
  },
};
