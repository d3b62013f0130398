import type { Rectangle, Size } from "../../pipeline/geometry.ts";
import { createImage, crop, type Image } from "../../pipeline/image.ts";

// What pipeline/resample.ts must equal to the pixel: the same in plain loops, whole pictures at a time.

interface Kernel {
  /** Half of the kernel's width, in source pixels where nothing shrinks. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

const KERNELS = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  /** Keys' cubic with a = −1/2. */
  bicubic: {
    support: 2,
    weight: (signed) => {
      const x = Math.abs(signed);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
    },
  },
} satisfies Record<string, Kernel>;

const PRECISION = 22; // bits after the point: 32 − 8 for the pixel − 2 for overshoot
const HALF = 1 << (PRECISION - 1);

/** Result pixel i is the sum over t < count[i] of weights[i · stride + t] / 2^22 times source pixel start[i] + t. */
interface Taps {
  readonly stride: number;
  readonly start: Int32Array;
  readonly count: Int32Array;
  readonly weights: Int32Array;
}

/** The taps of result pixels [from, from + length) where a side of `source` pixels becomes `target`; a shrinking kernel widens (antialiasing). */
function tapsOf(source: number, target: number, { support, weight }: Kernel, from: number, length: number): Taps {
  const scale = source / target;
  const widening = Math.max(1, scale);
  const reach = support * widening;
  const stride = Math.ceil(reach) * 2 + 1;
  const taps = { stride, start: new Int32Array(length), count: new Int32Array(length), weights: new Int32Array(length * stride) };
  const exact = new Float64Array(stride);
  for (let i = 0; i < length; i++) {
    const center = (from + i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - reach + 0.5));
    const count = Math.min(source, Math.trunc(center + reach + 0.5)) - start;
    let sum = 0;
    for (let t = 0; t < count; t++) {
      exact[t] = weight((t + start - center + 0.5) * (1 / widening));
      sum += exact[t];
    }
    taps.start[i] = start;
    taps.count[i] = count;
    for (let t = 0; t < count; t++) {
      const w = (sum === 0 ? exact[t] : exact[t] / sum) * 2 ** PRECISION;
      taps.weights[i * stride + t] = Math.trunc(w < 0 ? w - 0.5 : w + 0.5);
    }
  }
  return taps;
}

const clip = (sum: number): number => Math.min(255, Math.max(0, sum >> PRECISION));

/** Rows [firstRow, firstRow + height) of the source, each made as wide as there are taps. */
function resampleRows(image: Image, { stride, start, count, weights }: Taps, firstRow: number, height: number): Image {
  const { channels, data } = image;
  const result = createImage(start.length, height, channels);
  for (let y = 0, o = 0; y < height; y++) {
    const row = (firstRow + y) * image.width;
    for (let x = 0; x < start.length; x++) {
      let s = (row + start[x]) * channels;
      let t = x * stride;
      const end = t + count[x];
      if (channels === 1) {
        let sum = HALF;
        for (; t < end; t++) sum = (sum + Math.imul(data[s++], weights[t])) | 0;
        result.data[o++] = clip(sum);
      } else {
        let red = HALF;
        let green = HALF;
        let blue = HALF;
        for (; t < end; t++, s += 3) {
          const w = weights[t];
          red = (red + Math.imul(data[s], w)) | 0;
          green = (green + Math.imul(data[s + 1], w)) | 0;
          blue = (blue + Math.imul(data[s + 2], w)) | 0;
        }
        result.data[o++] = clip(red);
        result.data[o++] = clip(green);
        result.data[o++] = clip(blue);
      }
    }
  }
  return result;
}

/** As many rows as there are taps; the picture's first row is the source's row `firstRow`. */
function resampleColumns(image: Image, { stride, start, count, weights }: Taps, firstRow: number): Image {
  const length = image.width * image.channels;
  const result = createImage(image.width, start.length, image.channels);
  const sums = new Int32Array(length);
  for (let y = 0; y < start.length; y++) {
    sums.fill(HALF);
    for (let t = 0; t < count[y]; t++) {
      const w = weights[y * stride + t];
      const row = (start[y] + t - firstRow) * length;
      for (let i = 0; i < length; i++) sums[i] = (sums[i] + Math.imul(image.data[row + i], w)) | 0;
    }
    for (let i = 0, o = y * length; i < length; i++) result.data[o + i] = clip(sums[i]);
  }
  return result;
}

/** The part in `region`, which lies inside, of the picture resized to `size`. */
export function plainResample(image: Image, size: Size, filter: keyof typeof KERNELS, region: Rectangle): Image {
  const kernel = KERNELS[filter];
  const vertical = size.height === image.height ? undefined : tapsOf(image.height, size.height, kernel, region.y, region.height);
  const firstRow = vertical ? vertical.start[0] : region.y;
  const last = region.height - 1;
  const height = vertical ? vertical.start[last] + vertical.count[last] - firstRow : region.height;
  const horizontal =
    size.width === image.width
      ? crop(image, { x: region.x, y: firstRow, width: region.width, height })
      : resampleRows(image, tapsOf(image.width, size.width, kernel, region.x, region.width), firstRow, height);
  return vertical ? resampleColumns(horizontal, vertical, firstRow) : horizontal;
}
