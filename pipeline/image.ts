import { FivecropError } from "../core/errors.ts";
import type { Rectangle } from "./geometry.ts";
import { overWhite } from "./ink.ts";

/** A picture: 8 bits a channel, rows from the top, interleaved (R, G, B, R, …); one channel is gray, three are RGB. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** height · width · channels bytes */
  readonly data: Uint8Array;
}

/**
 * A picture over these bytes, which are not copied; black where none are given.
 * @throws FivecropError where a side is not a whole number above zero, there are other channels than 1 or 3, or the data is no Uint8Array of height · width · channels.
 */
export function createImage(width: number, height: number, channels: 1 | 3, data?: Uint8Array): Image {
  const size = width * height * channels;
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0))
    throw new FivecropError(`image: expected a width and a height of at least one pixel, received ${width}×${height}`);
  if (channels !== 1 && channels !== 3) throw new FivecropError(`image: expected 1 channel (gray) or 3 (RGB), received ${channels}`);
  if (data !== undefined && !(data instanceof Uint8Array))
    throw new FivecropError(`image: expected its data as a Uint8Array, 8 bits a channel, received ${nameOfType(data)}`);
  if (data && data.length !== size)
    throw new FivecropError(`image: expected ${size} bytes for ${width}×${height} pixels of ${channels} channels, received ${data.length}`);
  return { width, height, channels, data: data ?? new Uint8Array(size) };
}

/** What messages say that was given. */
function nameOfType(value: unknown): string {
  if (typeof value === "object" && value !== null) return `an object (${value.constructor?.name ?? "Object"})`;
  return value === undefined || value === null ? String(value) : `a ${typeof value}`;
}

/**
 * Decoded pixels that a script gave, checked; a canvas's own are `fromImageData`'s.
 * @param expected what else would have been taken
 * @throws FivecropError where they are no Image.
 */
export function checkImage(value: unknown, expected: string): Image {
  if (typeof value !== "object" || value === null || !("data" in value))
    throw new FivecropError(`expected ${expected} or an Image { width, height, channels, data }, received ${nameOfType(value)}`);
  const { width, height, channels, data } = value as Image;
  if (data === undefined) throw new FivecropError("image: expected its data as a Uint8Array, 8 bits a channel, received undefined");
  return createImage(width, height, channels, data);
}

/** What a canvas's `getImageData` gives. */
export interface CanvasPixels {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
}

/** A canvas's pixels: RGBA, composed on white as a file's are. @throws FivecropError where they are not 8 bits a channel. */
export function fromImageData({ width, height, data }: CanvasPixels): Image {
  if (!(data instanceof Uint8ClampedArray))
    throw new FivecropError(
      `image: expected a canvas's pixels with 8 bits a channel, received ${nameOfType(data)}. To fix: getImageData(x, y, width, height) without a pixelFormat.`,
    );
  return createImage(width, height, 3, overWhite(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 4, 3));
}

/** A picture as a canvas takes it: RGBA, opaque, row by row; `new ImageData(rgbaPixels(image), image.width)`. */
export function rgbaPixels({ channels, data }: Image): Uint8ClampedArray<ArrayBuffer> {
  const rgba = new Uint8ClampedArray((data.length / channels) * 4);
  for (let p = 0, o = 0; p < data.length; p += channels) {
    for (let c = 0; c < 3; c++) rgba[o++] = data[p + (channels === 3 ? c : 0)];
    rgba[o++] = 255;
  }
  return rgba;
}

/** The part of a picture in a rectangle of whole pixels; what lies outside the picture is black. The picture itself where that is all of it. */
export function crop(image: Image, { x, y, width, height }: Rectangle): Image {
  if (x === 0 && y === 0 && width === image.width && height === image.height) return image;
  const result = createImage(width, height, image.channels);
  const left = Math.max(0, x);
  const right = Math.min(image.width, x + width);
  const bottom = Math.min(image.height, y + height);
  if (left >= right) return result;
  for (let row = Math.max(0, y); row < bottom; row++) {
    const start = row * image.width;
    const pixels = image.data.subarray((start + left) * image.channels, (start + right) * image.channels);
    result.data.set(pixels, ((row - y) * width + left - x) * image.channels);
  }
  return result;
}

/** The picture in a mirror: left becomes right. */
export function flipHorizontal(image: Image): Image {
  const { width, height, channels } = image;
  const result = createImage(width, height, channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * channels;
      const to = (y * width + width - 1 - x) * channels;
      for (let c = 0; c < channels; c++) result.data[to + c] = image.data[from + c];
    }
  return result;
}

/**
 * Luma of ITU-R 601, as Pillow's convert("L"): (19595 R + 38470 G + 7471 B + 2^15) >> 16.
 * @see https://pillow.readthedocs.io/en/stable/reference/Image.html#PIL.Image.Image.convert
 */
export function toGray(image: Image): Image {
  if (image.channels === 1) return image;
  const result = createImage(image.width, image.height, 1);
  for (let i = 0, j = 0; i < result.data.length; i++, j += 3)
    result.data[i] = (image.data[j] * 19595 + image.data[j + 1] * 38470 + image.data[j + 2] * 7471 + 0x8000) >> 16;
  return result;
}

/** Gray in all three channels. */
export function toRgb(image: Image): Image {
  if (image.channels === 3) return image;
  const result = createImage(image.width, image.height, 3);
  for (let i = 0; i < image.data.length; i++) result.data.fill(image.data[i], i * 3, i * 3 + 3);
  return result;
}

/** A picture in gray, by `toGray`, or in RGB, gray in all three channels; itself where it is that already. */
export const withChannels = (image: Image, channels: 1 | 3): Image => (channels === 1 ? toGray(image) : toRgb(image));
