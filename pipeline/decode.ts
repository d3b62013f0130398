// What the decoders of Node and of a page share: limits, and what they say of a file that they refuse.
import { messageOf, PictureError } from "../core/errors.ts";
import type { Size } from "./geometry.ts";
import { type ImageFormat, imageFormatOf } from "./image-format.ts";

export interface DecodeOptions {
  /** Pictures of more pixels are refused before they are decoded; 100 million where it is left out. */
  readonly maxPixels?: number;
}

export const MAX_PIXELS = 100_000_000;
export const EXPECTED = "Expected a JPEG, PNG, WebP, AVIF, GIF or TIFF.";

/** PNG and GIF state their size at a fixed place; decoders answer 0 × 0 with something else. */
function hasNoPixels(bytes: Uint8Array, format: ImageFormat): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === "PNG") return bytes.length >= 24 && (view.getUint32(16) === 0 || view.getUint32(20) === 0);
  return format === "GIF" && bytes.length >= 10 && (view.getUint16(6, true) === 0 || view.getUint16(8, true) === 0);
}

/** A file's picture format. @throws PictureError where it is empty, no picture of a format that is read, or says that it has no pixels. */
export function checkFormat(bytes: Uint8Array, name: string): ImageFormat {
  if (bytes.length === 0) throw new PictureError(`${name}: the file is empty. ${EXPECTED}`);
  const found = imageFormatOf(bytes);
  if ("instead" in found) throw new PictureError(`${name}: cannot be read as a picture. ${EXPECTED} Found ${found.instead}.`);
  if (hasNoPixels(bytes, found.format))
    throw new PictureError(`${name}: this ${found.format} has 0 pixels. Expected a width and a height of at least 1.`);
  return found.format;
}

/** @throws PictureError where a picture of this size has more pixels than the limit. */
export function checkSize({ width, height }: Size, name: string, maxPixels: number): void {
  if (width * height > maxPixels)
    throw new PictureError(
      `${name}: ${width}×${height} pixels are ${Math.ceil((width * height) / 1e6)} megapixels, more than the limit of ${maxPixels / 1e6}. To fix: shrink the picture first.`,
    );
}

/** What is said where a decoder fails. @param cause what the decoder threw */
export function damaged(name: string, format: ImageFormat, cause: unknown): PictureError {
  const [reason] = messageOf(cause)
    .replace(/^Input (buffer|file) has corrupt header:\s*/, "")
    .split("\n");
  return new PictureError(
    `${name}: this ${format} is damaged or cut short${reason ? ` (the decoder says: ${reason})` : ""}. To fix: fetch it again, or open it in an editor and save it anew.`,
    { cause },
  );
}
