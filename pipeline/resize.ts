import type { Rectangle, Size } from "./geometry.ts";
import { createImage, crop, type Image } from "./image.ts";
import { resample } from "./resample.ts";
import type { Filter } from "./windows.ts";

export type { Filter } from "./windows.ts";

/** The source pixel of each result pixel in [from, from + length). The position is summed up step by step, as Pillow does, roundings included. */
function nearestPixels(source: number, target: number, from: number, length: number): Int32Array {
  const step = source / target;
  const pixels = new Int32Array(length);
  let position = step * 0.5;
  for (let i = 0; i < from + length; i++, position += step) if (i >= from) pixels[i - from] = Math.min(source - 1, Math.trunc(position));
  return pixels;
}

/** @param columns, rows where each result column and row begins in the source */
function pickGray({ data }: Image, columns: Int32Array, rows: Int32Array, out: Uint8Array): void {
  let o = 0;
  for (const row of rows) for (let x = 0; x < columns.length; x++) out[o++] = data[row + columns[x]];
}

/** Four bytes at once, of which the next pixel overwrites the last; byte by byte where no pixel follows, in a row of the result or of the source. */
function pickRgb({ data, width }: Image, columns: Int32Array, rows: Int32Array, out: Uint8Array): void {
  const from = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const to = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const followed = Math.min(columns.length - 1, columns.filter((column) => column < 3 * (width - 1)).length);
  let o = 0;
  for (const row of rows) {
    for (let x = 0; x < followed; x++, o += 3) to.setUint32(o, from.getUint32(row + columns[x], true), true);
    for (let x = followed; x < columns.length; x++) for (let c = 0; c < 3; c++) out[o++] = data[row + columns[x] + c];
  }
}

function resizeNearest(image: Image, size: Size, region: Rectangle): Image {
  const { channels } = image;
  const result = createImage(region.width, region.height, channels);
  const columns = nearestPixels(image.width, size.width, region.x, region.width).map((x) => x * channels);
  const rows = nearestPixels(image.height, size.height, region.y, region.height).map((y) => y * image.width * channels);
  (channels === 1 ? pickGray : pickRgb)(image, columns, rows, result.data);
  return result;
}

/** Along the rows first, then down the columns; but a picture more than 100 times as high as it is wide, and to become lower, the other way round, as Pillow does. */
function resizeSmoothly(image: Image, size: Size, filter: Exclude<Filter, "nearest">, region: Rectangle): Image {
  if (image.height <= 100 * image.width || size.height >= image.height) return resample(image, size, filter, region);
  const { width } = image;
  const lower = resample(image, { width, height: size.height }, filter, { ...region, x: 0, width });
  return resample(lower, { width: size.width, height: lower.height }, filter, { ...region, y: 0 });
}

/**
 * The part in `region` of the picture resized to `size`: Pillow's pixels, the same as resizing and then cropping, without computing the others.
 * Black where the region leaves the resized picture.
 * @see https://github.com/python-pillow/Pillow/blob/main/src/PIL/Image.py
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
  const resized = filter === "nearest" ? resizeNearest(image, size, inside) : resizeSmoothly(image, size, filter, inside);
  return crop(resized, { x: region.x - x, y: region.y - y, width: region.width, height: region.height });
}

/** The picture in another size: Pillow's `Image.resize`, to the pixel. */
export const resize = (image: Image, size: Size, filter: Filter): Image =>
  resizeRegion(image, size, filter, { x: 0, y: 0, width: size.width, height: size.height });
