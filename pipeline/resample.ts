import type { Rectangle, Size } from "./geometry.ts";
import { createImage, type Image } from "./image.ts";
import { FOURS, type Kernel, STRIP_BYTES, STRIP_ROWS, TILE_ROWS, TILE_SAMPLES, theKernel } from "./kernel.ts";
import { type Filter, foursOf, PRECISION, type Side, sideOf, type Window, windowOf, writeWeights } from "./windows.ts";

const HALF = 1 << (PRECISION - 1);

/** Rows of sums and of samples start at multiples of this, which the kernel fills at once. */
const toWhole = (samples: number): number => Math.ceil(samples / 16) * 16;

/** Result columns (or rows) [from, to) that are made together, of the source's [start, end). */
interface Span {
  readonly from: number;
  readonly to: number;
  readonly start: number;
  readonly end: number;
  /** None where this side stays as it is. */
  readonly windows: readonly Window[];
}

/** As many columns (or rows) from `from` on as windows are taken: to `most`, or until `full`; at least one. */
function takeSpan(side: Side | undefined, from: number, most: number, full: (fours: number, pixels: number) => boolean): Span {
  if (!side) return { from, to: most, start: from, end: most, windows: [] };
  const windows = [windowOf(side, from)];
  const { start } = windows[0];
  let fours = foursOf(windows[0].end - start);
  while (from + windows.length < most) {
    const next = windowOf(side, from + windows.length);
    fours += foursOf(next.end - next.start);
    if (full(fours, next.end - start)) break;
    windows.push(next);
  }
  return { from, to: from + windows.length, start, end: windows[windows.length - 1].end, windows };
}

/** Columns that fit into the kernel's memory with their weights and a row of their pixels. */
const takeColumns = (side: Side | undefined, from: number, end: number, channels: number): Span =>
  takeSpan(
    side,
    from,
    Math.min(end, from + Math.floor(TILE_SAMPLES / channels)),
    (fours, pixels) => fours > FOURS || pixels * channels > STRIP_BYTES,
  );

/** How many of a row's source pixels fit into the kernel's memory at once: all of them, but for one column made of very many. */
const partOf = ({ start, end }: Span, channels: number): number => Math.min(end - start, Math.floor(STRIP_BYTES / channels), 4 * FOURS);

/** The columns' windows and weights, as far as they lie in source pixels [start, end), into the kernel's memory. */
function writeColumns({ at, int16, int32 }: Kernel, side: Side, { windows }: Span, channels: number, start: number, end: number): void {
  let weight = at.rowWeights / 2;
  let entry = at.windows / 4;
  for (const window of windows) {
    const from = Math.max(start, window.start);
    const to = Math.min(end, window.end);
    int32[entry++] = (from - start) * channels;
    int32[entry++] = foursOf(to - from);
    weight = writeWeights(side, window, from, to, int16, weight);
  }
}

/** Source pixels in a rectangle into the kernel's memory, rows `stride` bytes apart. */
function copyRows({ bytes }: Kernel, { width, channels, data }: Image, from: Rectangle, to: number, stride: number): void {
  for (let row = 0; row < from.height; row++) {
    const first = ((from.y + row) * width + from.x) * channels;
    bytes.set(data.subarray(first, first + from.width * channels), to + row * stride);
  }
}

/** Source rows [y, y + height) → the columns' samples in the kernel's memory, rows `stride` bytes apart. */
function makeSamples(kernel: Kernel, image: Image, side: Side | undefined, columns: Span, y: number, height: number, stride: number): void {
  const { call, at, int32 } = kernel;
  const { channels } = image;
  const { start, end, windows } = columns;
  if (!side) {
    copyRows(kernel, image, { x: start, y, width: end - start, height }, at.samples, stride);
    return;
  }
  const add = channels === 1 ? call.addRowsGray : call.addRowsRgb;
  const part = partOf(columns, channels);
  int32.fill(HALF, at.rowSums / 4, at.rowSums / 4 + height * stride);
  for (let x = start; x < end; x += part) {
    const width = Math.min(part, end - x);
    if (part < end - start) writeColumns(kernel, side, columns, channels, x, x + width);
    copyRows(kernel, image, { x, y, width, height }, at.strip, width * channels);
    add(at.strip, width * channels, height, at.windows, windows.length, at.rowWeights, at.rowSums, stride * 4);
  }
  call.finish(at.rowSums, height * stride, at.samples);
}

/** Makes the columns of these result rows, strip by strip of the source. @param put takes a finished row's samples */
function makeTile(
  image: Image,
  across: Side | undefined,
  columns: Span,
  down: Side | undefined,
  rows: Span,
  put: (y: number, samples: Uint8Array) => void,
): void {
  const kernel = theKernel();
  const { call, at, bytes, int16, int32 } = kernel;
  const { channels } = image;
  const length = (columns.to - columns.from) * channels;
  const stride = toWhole(length);
  const part = partOf(columns, channels);
  if (across && part === columns.end - columns.start) writeColumns(kernel, across, columns, channels, columns.start, columns.end);
  int32.fill(HALF, at.columnSums / 4, at.columnSums / 4 + rows.windows.length * stride);
  const strip = Math.min(STRIP_ROWS, Math.floor(STRIP_BYTES / (part * channels)));
  let done = 0;
  for (let y = rows.start; y < rows.end; y += strip) {
    const height = Math.min(strip, rows.end - y);
    makeSamples(kernel, image, across, columns, y, height, stride);
    if (!down)
      for (let row = 0; row < height; row++) put(y + row, bytes.subarray(at.samples + row * stride, at.samples + row * stride + length));
    for (let i = done; i < rows.windows.length && rows.windows[i].start < y + height; i++) {
      const window = rows.windows[i];
      const from = Math.max(y, window.start);
      const to = Math.min(y + height, window.end);
      const sums = at.columnSums + i * stride * 4;
      writeWeights(down as Side, window, from, to, int16, at.columnWeights / 2);
      call.addColumns(at.samples + (from - y) * stride, stride, stride, foursOf(to - from), at.columnWeights, sums);
      if (window.end > y + height) continue;
      call.finish(sums, stride, at.row);
      put(rows.from + i, bytes.subarray(at.row, at.row + length));
      done = i + 1;
    }
  }
}

/**
 * The part in `region`, which lies inside, of the picture resized to `size` with a smooth curve. Two passes, along the rows and then down the
 * columns, in fixed point, with 8-bit samples between them. Tile by tile, and the source strip by strip, so that
 * besides the result only the kernel's own memory is needed, however large the picture.
 * @see https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c
 */
export function resample(image: Image, size: Size, filter: Exclude<Filter, "nearest">, region: Rectangle): Image {
  const { channels } = image;
  const across = size.width === image.width ? undefined : sideOf(image.width, size.width, filter);
  const down = size.height === image.height ? undefined : sideOf(image.height, size.height, filter);
  const right = region.x + region.width;
  const bottom = region.y + region.height;
  const result = createImage(region.width, region.height, channels);
  for (let y = region.y, rows: Span; y < bottom; y = rows.to) {
    rows = takeSpan(down, y, Math.min(bottom, y + TILE_ROWS), () => false);
    for (let x = region.x, columns: Span; x < right; x = columns.to) {
      columns = takeColumns(across, x, right, channels);
      makeTile(image, across, columns, down, rows, (line, samples) =>
        result.data.set(samples, ((line - region.y) * region.width + columns.from - region.x) * channels),
      );
    }
  }
  return result;
}
