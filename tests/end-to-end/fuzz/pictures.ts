import sharp, { type Sharp } from "sharp";
import { type Random, random } from "../../../core/random.ts";
import { pngChunk } from "../../pipeline/make-png.ts";
import { MUTATIONS, type Mutation } from "./mutate.ts";

/** Small pictures of each format that is read: in colour, gray, with alpha, 16 bits, frames, progressive or interlaced, with EXIF. */
export async function seedPictures(): Promise<Readonly<Record<string, readonly Uint8Array[]>>> {
  const numbers = random(11);
  const [width, height] = [40, 30];
  const raw = (channels: 1 | 3 | 4, rows = height) =>
    sharp(
      Uint8Array.from({ length: width * rows * channels }, (_, i) => 128 + 80 * Math.sin(i / 37) + numbers.integer(40)),
      { raw: { width, height: rows, channels, ...(rows > height && { pageHeight: height }) } },
    );
  const gray = () => raw(1).toColourspace("b-w");
  const turned = () => raw(3).withExif({ IFD0: { Orientation: "6", ImageDescription: "a picture" } });
  const made = {
    jpg: [
      raw(3).jpeg(),
      turned().jpeg({ progressive: true, chromaSubsampling: "4:4:4" }),
      gray().jpeg(),
      raw(3).toColourspace("cmyk").jpeg(),
    ],
    png: [
      raw(3).png(),
      raw(4).png({ progressive: true }),
      raw(3).png({ palette: true }),
      gray().toColourspace("grey16").png(),
      turned().png(),
    ],
    webp: [raw(3).webp(), raw(4).webp({ lossless: true }), raw(3, 2 * height).webp({ delay: [50, 50] }), turned().webp()],
    avif: [raw(3).avif({ effort: 0 }), raw(4).avif({ effort: 0, lossless: true })],
    gif: [raw(3).gif(), raw(4).gif(), raw(3, 2 * height).gif({ delay: [50, 50] })],
    tiff: [
      raw(3).tiff({ compression: "none" }),
      raw(3).tiff({ compression: "lzw", predictor: "horizontal" }),
      raw(4).tiff({ compression: "deflate", tile: true, tileWidth: 16, tileHeight: 16 }),
      raw(3).tiff({ compression: "jpeg" }),
      gray().tiff({ compression: "none" }),
      raw(3).toColourspace("cmyk").tiff({ compression: "packbits" }),
    ],
  };
  const bytes = (list: readonly Sharp[]) => Promise.all(list.map((picture) => picture.toBuffer()));
  return Object.fromEntries(await Promise.all(Object.entries(made).map(async ([format, list]) => [format, await bytes(list)] as const)));
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

const SIGNATURE = 8;

function chunksOf(png: Uint8Array): Chunk[] {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE; at + 12 <= png.length; ) {
    const length = view.getUint32(at);
    chunks.push({ type: Buffer.from(png.subarray(at + 4, at + 8)).toString("latin1"), data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** A PNG's chunks repeated, left out, moved, or changed inside, with right lengths and checksums: readers come to what they hold. */
const pngChunks: Mutation = (bytes, numbers, other) => {
  const chunks = chunksOf(bytes);
  if (chunks.length === 0) return bytes;
  const i = numbers.integer(chunks.length);
  const changes: readonly (() => Chunk[])[] = [
    () => chunks.toSpliced(i, 0, chunks[i]),
    () => chunks.toSpliced(i, 1),
    () => chunks.toSpliced(numbers.integer(chunks.length), 0, ...chunks.toSpliced(i, 1).slice(i, i + 1)),
    () => chunks.with(i, { ...chunks[i], data: changed(chunks[i].data, numbers, other) }),
    () => chunks.with(0, { ...chunks[0], data: changed(chunks[0].data, numbers, other) }),
    () => chunks.with(i, { ...chunks[i], type: chunks[numbers.integer(chunks.length)].type }),
  ];
  return Buffer.concat([
    bytes.subarray(0, SIGNATURE),
    ...changes[numbers.integer(changes.length)]().map(({ type, data }) => pngChunk(type, data)),
  ]);
};

function changed(data: Uint8Array, numbers: Random, other: Uint8Array): Uint8Array {
  if (data.length < 4) return other.subarray(0, 8);
  const { flipBits, number, noise, cut } = MUTATIONS;
  return [flipBits, number, noise, cut][numbers.integer(4)](data, numbers, other);
}

/** What may happen to a picture's file. */
export const PICTURE_MUTATIONS = (format: string): Readonly<Record<string, Mutation>> =>
  format === "png" ? { ...MUTATIONS, pngChunks, moreChunks: pngChunks, stillMoreChunks: pngChunks } : MUTATIONS;
