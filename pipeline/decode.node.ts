import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import sharp, { type Metadata, type Sharp } from "sharp";
import { FivecropError, PictureError, UsageError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import { checkFormat, checkSize, type DecodeOptions, damaged, MAX_PIXELS } from "./decode.ts";
import type { Size } from "./geometry.ts";
import { createImage, type Image } from "./image.ts";
import type { ImageFormat } from "./image-format.ts";
import { type PlainFrame, plainJpegFrame } from "./image-header.ts";
import { cmykToRgb, overWhite } from "./ink.ts";
import { createLibjpeg, LibjpegMissing } from "./libjpeg.ts";

/** Options of decoding in Node. */
export interface NodeDecodeOptions extends DecodeOptions {
  /**
   * The shorter side, in pixels, to which the picture will be resized. A JPEG at least six times as large is then read at a reduced size, its shorter
   * side twice this: libjpeg leaves out detail while it decodes, and sharp resizes the rest of the way. Faster, and **other pixels** than
   * everywhere else: left out, every picture is decoded whole.
   */
  readonly shrinkOnLoad?: number;
}

/** A reduced picture is this many times as large as asked for, so that the resizing that follows has detail to average. */
const SHRUNK = 2;
/** Where less would be left out, sharp has libjpeg decode everything. */
const LEAST_SHRINK = 3;

/** Sample types that are read; others are a measurement's, and a scale to 8 bits would be a guess. */
const DEPTHS = ["uchar", "ushort"];

type Header = Pick<Metadata, "width" | "height" | "channels" | "depth" | "space" | "hasAlpha"> &
  Partial<Pick<Metadata, "autoOrient">> & { readonly upright?: boolean };

/** The size to read a JPEG at, as it stands upright; undefined is its own. @throws UsageError where `side` is not a whole number above 0 */
function shrunkSize({ autoOrient, space }: Header, format: ImageFormat, side: number | undefined): Size | undefined {
  if (side !== undefined && !(Number.isInteger(side) && side > 0))
    throw new UsageError(`shrinkOnLoad: expected the shorter side in pixels, a whole number above 0, received ${side}`);
  if (side === undefined || !autoOrient || format !== "JPEG" || space === "cmyk") return undefined;
  const shrink = Math.min(autoOrient.width, autoOrient.height) / (SHRUNK * side);
  if (shrink < LEAST_SHRINK) return undefined;
  return { width: Math.round(autoOrient.width / shrink), height: Math.round(autoOrient.height / shrink) };
}

/** JPEGs of no more pixels are decoded in this thread: one of 128×128 in a quarter of the time that sharp's pipeline of threads takes, larger ones no sooner. */
const SMALL_JPEG = 2 ** 16;

const libjpeg = createLibjpeg(
  () => readFileSync(createRequire(import.meta.url).resolve("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm")).buffer as ArrayBuffer,
);

/** Whether it ends with the marker of a JPEG's end. */
const hasEnd = (bytes: Uint8Array): boolean => bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9;

/** A small and whole upright JPEG's pixels; undefined where it is none, or damaged, which sharp will say. */
async function decodeSmall(bytes: Uint8Array, { width, height, components, exif }: PlainFrame): Promise<Image | undefined> {
  if (exif || width * height > SMALL_JPEG || !hasEnd(bytes)) return undefined;
  try {
    return await libjpeg(bytes as Uint8Array<ArrayBuffer>, components);
  } catch (cause) {
    if (cause instanceof LibjpegMissing) throw new FivecropError(`${cause.message}. To fix: install the package again.`, { cause });
    return undefined;
  }
}

/** What decides how a picture is decoded. Of plain JPEGs it is read here: asking the decoder first costs a fifth of a small picture's time. */
async function headerOf(frame: PlainFrame | undefined, open: () => Sharp): Promise<Header> {
  if (!frame) return open().metadata();
  const { width, height, components, exif } = frame;
  const space = components === 1 ? "b-w" : "srgb";
  return { width, height, channels: components, depth: "uchar", space, hasAlpha: false, upright: !exif };
}

/**
 * A picture file's bytes → Image: upright by EXIF, colour profiles ignored (as Pillow does), alpha composed on white, CMYK by plain
 * multiplication (as Pillow does), gray as one channel, 16 bits to 8 by the high byte, the first frame of several.
 * @param name what messages call the file
 * @throws UsageError for an option that is none; PictureError where the file is empty, no picture of a format that is read, damaged, cut short, or has no or too many pixels.
 */
export async function decodeImage(
  bytes: Uint8Array,
  name: string,
  { maxPixels = MAX_PIXELS, shrinkOnLoad }: NodeDecodeOptions = {},
): Promise<Image> {
  const format = checkFormat(bytes, name);
  const open = (limitInputPixels: number | false, autoOrient = true) =>
    sharp(bytes, { autoOrient, failOn: "error", ignoreIcc: true, limitInputPixels });
  const frame = format === "JPEG" && shrinkOnLoad === undefined ? plainJpegFrame(bytes) : undefined;
  const header = await headerOf(frame, () => open(false)).catch((cause: unknown) => {
    throw damaged(name, format, cause);
  });
  const { width, height, channels, depth, space, hasAlpha, upright = false } = header;
  checkSize({ width, height }, name, maxPixels);
  const small = frame && (await decodeSmall(bytes, frame));
  if (small) return small;
  if (!DEPTHS.includes(depth))
    throw new PictureError(`${name}: its samples are of type ${depth}. Expected 8 or 16 bits. To fix: save it as an 8-bit PNG.`);
  const cmyk = space === "cmyk";
  const gray = channels <= 2;
  const pipeline = open(maxPixels, !upright); // turning nothing costs a twentieth of a small picture's time
  const shrunk = shrunkSize(header, format, shrinkOnLoad);
  if (shrunk) pipeline.resize({ ...shrunk, fit: "fill" });
  if (cmyk) pipeline.pipelineColourspace("cmyk").toColourspace("cmyk");
  else if (gray && !hasAlpha) pipeline.extractChannel(0);
  try {
    const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const plain = cmyk ? cmykToRgb(pixels, info.channels) : hasAlpha ? overWhite(pixels, info.channels, gray ? 1 : 3) : pixels;
    return createImage(info.width, info.height, gray ? 1 : 3, plain);
  } catch (cause) {
    throw damaged(name, format, cause);
  }
}

/**
 * A picture from a file.
 * @throws PictureError as decodeImage does, and where the file cannot be read.
 */
export async function readImage(path: string, options?: NodeDecodeOptions): Promise<Image> {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path); // a promise's four turns in the thread pool cost a tenth of decoding a photo
  } catch (cause) {
    throw new PictureError(`${path}: ${fileReason(cause)}. Expected a picture file.`, { cause });
  }
  return decodeImage(bytes, path, options);
}
