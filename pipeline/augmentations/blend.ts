import { createImage, type Image } from "../image.ts";

const { fround } = Math;

/**
 * from + factor · (to − from), in float32, truncated and clipped to 8 bits.
 * @param factor a float32
 * @see https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Blend.c
 */
export function blend(from: number, to: number, factor: number): number {
  const value = fround(from + fround(factor * (to - from)));
  return value <= 0 ? 0 : value >= 255 ? 255 : value | 0;
}

/** Each channel's pixels through its table of 256 bytes; one table is for all channels. */
export function point(image: Image, tables: readonly Uint8Array[]): Image {
  const { width, height, channels, data } = image;
  const result = createImage(width, height, channels);
  const out = result.data;
  const apart = tables.length === 1 ? 1 : channels;
  for (let c = 0; c < apart; c++) {
    const table = tables[c];
    for (let i = c; i < data.length; i += apart) out[i] = table[data[i]];
  }
  return result;
}

/** The table of a function of one pixel's value; its results are clipped to 0 … 255. */
export function tableOf(of: (value: number) => number): Uint8Array {
  const table = new Uint8Array(256);
  for (let value = 0; value < 256; value++) table[value] = Math.min(255, Math.max(0, of(value)));
  return table;
}
