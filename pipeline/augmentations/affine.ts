import { createImage, crop, type Image } from "../image.ts";

/** The result's pixel (x, y) is the source's (a x + b y + c, d x + e y + f), both measured from the upper left corner. */
type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

const toFixed = (value: number): number => Math.floor(value * 65536 + 0.5);

/**
 * An affine map with the nearest pixel, in Pillow's 16.16 fixed point; black comes in. For sides up to 2^14.
 * @see https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Geometry.c
 */
export function affine(image: Image, [a, b, c, d, e, f]: Matrix): Image {
  const { width, height, channels, data } = image;
  const result = createImage(width, height, channels);
  const out = result.data;
  const [stepX, stepY, downX, downY] = [a, d, b, e].map(toFixed);
  let rowX = toFixed(c + a * 0.5 + b * 0.5);
  let rowY = toFixed(f + d * 0.5 + e * 0.5);
  for (let y = 0, o = 0; y < height; y++, rowX += downX, rowY += downY)
    for (let x = 0, atX = rowX, atY = rowY; x < width; x++, atX += stepX, atY += stepY, o += channels) {
      const column = atX >> 16;
      const row = atY >> 16;
      if (column < 0 || column >= width || row < 0 || row >= height) continue;
      const from = (row * width + column) * channels;
      out[o] = data[from];
      if (channels === 1) continue;
      out[o + 1] = data[from + 1];
      out[o + 2] = data[from + 2];
    }
  return result;
}

/** Rows move to the left by `factor` times their distance from the top. */
export const shearX = (image: Image, factor: number): Image => affine(image, [1, factor, 0, 0, 1, 0]);

/** Columns move upwards by `factor` times their distance from the left. */
export const shearY = (image: Image, factor: number): Image => affine(image, [1, 0, 0, factor, 1, 0]);

/** Moved by whole pixels, to the right and downwards. */
export const translate = (image: Image, x: number, y: number): Image =>
  crop(image, { x: -x, y: -y, width: image.width, height: image.height });

/** Counterclockwise about the center. @see PIL.Image.Image.rotate */
export function rotate(image: Image, degrees: number): Image {
  const angle = (-(((degrees % 360) + 360) % 360) * Math.PI) / 180;
  if (angle === 0) return image;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)].map((value) => Number(value.toFixed(15)));
  const [x, y] = [image.width / 2, image.height / 2];
  return affine(image, [cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y]);
}
