// What a picture file says of itself at its start, read without decoding it: a page's decoders ask for no limits.
import { FivecropError } from "../core/errors.ts";
import { avifSize } from "./avif.ts";
import type { Size } from "./geometry.ts";
import type { ImageFormat } from "./image-format.ts";
import { orientationOf } from "./orientation.ts";
import { webpSize } from "./webp.ts";

/** What a JPEG's markers say. */
export interface JpegHeader extends Size {
  /** 1 is gray, 3 colour, 4 ink. */
  readonly components: number;
  /** EXIF's, 1 to 8. */
  readonly orientation: number;
}

const [SOI, EOI, SOS, APP1] = [0xd8, 0xd9, 0xda, 0xe1];
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
/** Inside a scan 0xff is data where 0 follows, and a restart marker belongs to it. */
const isInScan = (marker: number): boolean => marker === 0 || (marker >= 0xd0 && marker <= 0xd7);
const EXIF = [0x45, 0x78, 0x69, 0x66, 0, 0];

/** The frame of a JPEG as the decoder will find it, where it is of a common kind: 8 bits, gray or three colours. */
export interface PlainFrame extends Size {
  readonly components: 1 | 3;
  /** Whether there is EXIF (or something else in its place), which may turn the picture. */
  readonly exif: boolean;
}

/** The frame in a JPEG's markers before its first scan; undefined where it is of another kind or the markers are not well formed. */
export function plainJpegFrame(bytes: Uint8Array): PlainFrame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: Omit<PlainFrame, "exif"> | undefined;
  let exif = false;
  for (let at = 2; at + 10 <= bytes.length && bytes[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = bytes[at + 1];
    if (marker === SOS) return frame && { ...frame, exif };
    if (marker === SOI || isInScan(marker)) return undefined;
    exif ||= marker === APP1;
    if (!isFrame(marker)) continue;
    const [precision, components] = [bytes[at + 4], bytes[at + 9]];
    const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
    if (frame || precision !== 8 || !(components === 1 || components === 3) || height === 0 || width === 0) return undefined;
    frame = { width, height, components };
  }
  return undefined;
}

/**
 * A JPEG's frame and orientation, its markers walked to the end.
 * @throws FivecropError where the markers stop before the end of the image: decoders would fill the rest with gray.
 * @see ITU-T T.81, annex B
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: (Size & { readonly components: number }) | undefined;
  let orientation: number | undefined;
  let at = 2;
  while (at + 1 < bytes.length) {
    if (bytes[at] !== 0xff || bytes[at + 1] === 0xff) {
      at++;
      continue;
    }
    const marker = bytes[at + 1];
    if (marker === EOI) break;
    if (marker === SOI || isInScan(marker)) {
      at += 2;
      continue;
    }
    if (at + 4 > bytes.length) break;
    const length = view.getUint16(at + 2);
    const end = at + 2 + length;
    if (end > bytes.length) break;
    if (isFrame(marker) && !frame && length >= 8)
      frame = { height: view.getUint16(at + 5), width: view.getUint16(at + 7), components: bytes[at + 9] };
    if (marker === APP1 && EXIF.every((byte, i) => bytes[at + 4 + i] === byte)) orientation ??= orientationOf(bytes.subarray(at + 10, end));
    at = end;
    if (marker === SOS) while (at + 1 < bytes.length && (bytes[at] !== 0xff || isInScan(bytes[at + 1]))) at++;
  }
  if (!frame || bytes[at] !== 0xff || bytes[at + 1] !== EOI) throw new FivecropError("premature end of JPEG image");
  return { ...frame, orientation: orientation ?? 1 };
}

/** Of the formats that a page leaves to the browser: the size that the file states. @throws RangeError, FivecropError where it states none. */
export function statedSize(bytes: Uint8Array, format: Extract<ImageFormat, "WebP" | "AVIF" | "GIF">): Size {
  if (format === "WebP") return webpSize(bytes);
  if (format === "AVIF") return avifSize(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
}
