import { createImage, type Image } from "./image.ts";
import { resize } from "./resize.ts";

/** Cells that a picture is shrunk to. */
const [COLUMNS, ROWS] = [9, 8];
/** Numbers of a thumbnail: RGB of each cell. */
export const THUMBNAIL = COLUMNS * ROWS * 3;
/** Levels of 255 by which a cell is brighter than the one before it to count: a plain background has no edges, however it was compressed. */
const EDGE = 2;
/** A larger picture is thinned out before it is shrunk: what is left are still hundreds of pixels a cell. */
const LARGE = 512;

/** What pictures look alike by. */
export interface Fingerprint {
  /** A difference hash of 64 bits: whether each cell of 8 × 8 is brighter than its left neighbour, row after row, 32 bits a word. */
  readonly hash: readonly [upper: number, lower: number];
  /** The picture in 9 × 8 cells, RGB. */
  readonly thumbnail: Uint8Array;
}

/** Every so many pixels of a large picture. */
function thinned({ width, height, channels, data }: Image): Image {
  const step = Math.floor(Math.min(width, height) / (LARGE / 2));
  if (Math.max(width, height) <= LARGE || step < 2) return { width, height, channels, data };
  const result = createImage(Math.floor(width / step), Math.floor(height / step), channels);
  for (let y = 0, o = 0; y < result.height; y++)
    for (let x = 0; x < result.width; x++)
      for (let c = 0; c < channels; c++) result.data[o++] = data[(y * step * width + x * step) * channels + c];
  return result;
}

/**
 * A picture's fingerprint, nearly the same for copies that were resized or compressed again.
 * @see https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html (the difference hash)
 */
export function fingerprintOf(image: Image): Fingerprint {
  const { channels, data } = resize(thinned(image), { width: COLUMNS, height: ROWS }, "bilinear");
  const thumbnail = Uint8Array.from({ length: THUMBNAIL }, (_, i) => data[channels === 3 ? i : Math.floor(i / 3)]);
  const level = (cell: number): number => 0.299 * thumbnail[3 * cell] + 0.587 * thumbnail[3 * cell + 1] + 0.114 * thumbnail[3 * cell + 2];
  const words: [number, number] = [0, 0];
  for (let y = 0, bit = 0; y < ROWS; y++)
    for (let x = 1; x < COLUMNS; x++, bit++)
      if (level(y * COLUMNS + x) - level(y * COLUMNS + x - 1) > EDGE) words[bit >> 5] |= 1 << (bit & 31);
  return { hash: [words[0] >>> 0, words[1] >>> 0], thumbnail };
}
