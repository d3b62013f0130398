import type { Rectangle, Size } from "./geometry.ts";
import { createImage, crop, type Image } from "./image.ts";

/** How a pixel of the result is made of the source's. */
export type Filter = keyof typeof KERNELS | "nearest";

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

/** The source pixel of each result pixel in [from, from + length). The position is summed up step by step, as Pillow does, roundings included. */
function nearestPixels(source: number, target: number, from: number, length: number): Int32Array {
  const step = source / target;
  const pixels = new Int32Array(length);
  let position = step * 0.5;
  for (let i = 0; i < from + length; i++, position += step) if (i >= from) pixels[i - from] = Math.min(source - 1, Math.trunc(position));
  return pixels;
}

function resizeNearest(image: Image, size: Size, region: Rectangle): Image {
  const { channels, data } = image;
  const result = createImage(region.width, region.height, channels);
  const columns = nearestPixels(image.width, size.width, region.x, region.width);
  const rows = nearestPixels(image.height, size.height, region.y, region.height);
  let o = 0;
  for (const row of rows)
    for (const column of columns)
      for (let c = 0, s = (row * image.width + column) * channels; c < channels; c++) result.data[o++] = data[s + c];
  return result;
}

function resizeSmoothly(image: Image, size: Size, kernel: Kernel, region: Rectangle): Image {
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

/**
 * The part in `region` of the picture resized to `size`: the same pixels as resizing and then cropping, without computing the others.
 * Two passes, along the rows and then along the columns, in fixed point, with 8-bit pixels between them: Pillow's, to the pixel.
 * Black where the region leaves the resized picture.
 * @see https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c
 */
export function resizeRegion(image: Image, size: Size, filter: Filter, region: Rectangle): Image {
  if (size.width === image.width && size.height === image.height) return crop(image, region);
  const x = Math.max(0, region.x);
  const y = Math.max(0, region.y);
  const inside = {
    x,
    y,
    width: Math.min(size.width, region.x + region.width) - x,
    height: Math.min(size.height, region.y + region.height) - y,
  };
  const resized = filter === "nearest" ? resizeNearest(image, size, inside) : resizeSmoothly(image, size, KERNELS[filter], inside);
  return crop(resized, { x: region.x - x, y: region.y - y, width: region.width, height: region.height });
}

/** The picture in another size: Pillow's `Image.resize`, to the pixel. */
export const resize = (image: Image, size: Size, filter: Filter): Image =>
  resizeRegion(image, size, filter, { x: 0, y: 0, width: size.width, height: size.height });
