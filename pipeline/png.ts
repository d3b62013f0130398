// PNG → pixels, on any platform: a canvas would apply the file's gamma and profile, and multiply colours by alpha and back.
import { FivecropError } from "../core/errors.ts";
import type { Size } from "./geometry.ts";
import { createImage, type Image } from "./image.ts";
import { overWhite } from "./ink.ts";
import { orientationOf } from "./orientation.ts";
import { type PngChunks, type PngHeader, readPngChunks } from "./png-chunks.ts";

/** Samples of a pixel by colour type. */
const SAMPLES: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const PALETTE = 3;

/** Adam7's seven passes [first column, first row, column step, row step]; an uninterlaced picture is one pass of everything. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;
const PLAIN = [[0, 0, 1, 1]] as const;

interface Pass extends Size {
  readonly step: readonly [x: number, y: number, dx: number, dy: number];
  /** Bytes of a row, without its filter's byte. */
  readonly stride: number;
}

function passesOf({ width, height, depth, colourType, interlaced }: PngHeader): readonly Pass[] {
  const passes = (interlaced ? ADAM7 : PLAIN).map((step) => {
    const size = { width: Math.ceil((width - step[0]) / step[2]), height: Math.ceil((height - step[1]) / step[3]) };
    return { ...size, step, stride: Math.ceil((size.width * SAMPLES[colourType] * depth) / 8) };
  });
  return passes.filter((pass) => pass.width > 0 && pass.height > 0);
}

/** The zlib stream's first `size` bytes, and no more: a bomb has no room. @throws FivecropError where it ends before. */
async function inflate(data: readonly Uint8Array<ArrayBuffer>[], size: number): Promise<Uint8Array> {
  const reader = new Blob([...data]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const result = new Uint8Array(size);
  for (let filled = 0; filled < size; ) {
    const { value, done } = await reader.read();
    if (done) throw new FivecropError(`expected ${size} bytes of image data, found ${filled}`);
    result.set(value.subarray(0, size - filled), filled);
    filled += value.length;
  }
  await reader.cancel();
  return result;
}

function paeth(a: number, b: number, c: number): number {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  if (pa <= pb && pa <= pc) return a;
  return pb <= pc ? b : c;
}

/** Undoes one row's filter in place. @param above the row before, zeros for the first @param pixel bytes, at least 1 */
function unfilter(filter: number, row: Uint8Array, above: Uint8Array, pixel: number): void {
  if (filter > 4) throw new FivecropError(`unknown row filter ${filter}`);
  if (filter === 0) return;
  for (let i = 0; i < row.length; i++) {
    const left = i < pixel ? 0 : row[i - pixel];
    if (filter === 1) row[i] += left;
    else if (filter === 2) row[i] += above[i];
    else if (filter === 3) row[i] += (left + above[i]) >> 1;
    else row[i] += paeth(left, above[i], i < pixel ? 0 : above[i - pixel]);
  }
}

/** Reads samples of one row at their own depth. */
function sampleReader(row: Uint8Array, depth: number): (i: number) => number {
  if (depth === 8) return (i) => row[i];
  if (depth === 16) return (i) => (row[2 * i] << 8) | row[2 * i + 1];
  const mask = (1 << depth) - 1;
  const each = 8 / depth;
  return (i) => (row[Math.floor(i / each)] >> (8 - depth - (i % each) * depth)) & mask;
}

/** Writes a row's pixels, 8 bits a sample. @param out bytes of the whole picture @param at of a pixel in it */
type RowWriter = (row: Uint8Array, width: number, out: Uint8Array, at: (x: number) => number) => void;

function rowWriter({ depth, colourType }: PngHeader, { palette, transparency }: PngChunks, stride: number): RowWriter {
  const samples = SAMPLES[colourType];
  const to8 = (value: number): number => (depth === 16 ? value >> 8 : depth === 8 ? value : (value * 255) / ((1 << depth) - 1));
  const key =
    transparency && colourType !== PALETTE
      ? Array.from({ length: samples }, (_, c) => (transparency[2 * c] << 8) | transparency[2 * c + 1])
      : undefined;
  return (row, width, out, at) => {
    const sample = sampleReader(row, depth);
    for (let x = 0; x < width; x++) {
      const o = at(x);
      if (colourType === PALETTE) {
        const index = sample(x);
        if (3 * index >= palette.length) throw new FivecropError(`palette index ${index} of ${palette.length / 3} colours`);
        for (let c = 0; c < 3; c++) out[o + c] = palette[3 * index + c];
        if (stride === 4) out[o + 3] = transparency?.[index] ?? 255;
      } else {
        for (let c = 0; c < samples; c++) out[o + c] = to8(sample(x * samples + c));
        if (key) out[o + samples] = key.every((value, c) => sample(x * samples + c) === value) ? 0 : 255;
      }
    }
  };
}

/**
 * A PNG's pixels as they are stored (gamma and profiles are not applied): gray as one channel, a palette as RGB, alpha on white, 16 bits by the high byte.
 * @param check is told the size before anything is decoded
 * @returns the picture as stored, and the orientation that its EXIF block asks for
 * @throws FivecropError where it is damaged
 * @see https://www.w3.org/TR/png-3/
 */
export async function decodePng(bytes: Uint8Array, check: (size: Size) => void): Promise<{ image: Image; orientation: number }> {
  const chunks = readPngChunks(bytes, check);
  const { header } = chunks;
  const { width, height, depth, colourType } = header;
  const passes = passesOf(header);
  const raw = await inflate(
    chunks.data,
    passes.reduce((sum, pass) => sum + pass.height * (pass.stride + 1), 0),
  );
  const colours = colourType === 0 || colourType === 4 ? 1 : 3;
  const stride = colours + (colourType === 4 || colourType === 6 || chunks.transparency ? 1 : 0);
  const write = rowWriter(header, chunks, stride);
  const pixel = Math.max(1, (SAMPLES[colourType] * depth) >> 3);
  const out = new Uint8Array(width * height * stride);
  let offset = 0;
  for (const { step, stride: length, ...size } of passes) {
    let above: Uint8Array = new Uint8Array(length);
    for (let y = 0; y < size.height; y++) {
      const row = raw.subarray(offset + 1, offset + 1 + length);
      unfilter(raw[offset], row, above, pixel);
      const start = (step[1] + y * step[3]) * width + step[0];
      write(row, size.width, out, (x) => (start + x * step[2]) * stride);
      above = row;
      offset += length + 1;
    }
  }
  const plain = stride === colours ? out : overWhite(out, stride, colours);
  return { image: createImage(width, height, colours, plain), orientation: chunks.exif ? orientationOf(chunks.exif) : 1 };
}
