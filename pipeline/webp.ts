// What a WebP says of itself in its chunks. @see RFC 9649
import type { Size } from "./geometry.ts";
import { orientationOf } from "./orientation.ts";

const text = (bytes: Uint8Array, from: number): string => String.fromCharCode(...bytes.subarray(from, from + 4));
const uint24 = (view: DataView, at: number): number => view.getUint16(at, true) + (view.getUint8(at + 2) << 16);

/** The size that the file states: its canvas where it has one. @throws RangeError where the file ends before. */
export function webpSize(bytes: Uint8Array): Size {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = text(bytes, 12);
  if (kind === "VP8X") return { width: uint24(view, 24) + 1, height: uint24(view, 27) + 1 };
  if (kind === "VP8L") {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
}

const FLAGS = 20;
const EXIF_FLAG = 0x08;

/** The orientation in the EXIF chunk, which is hidden in these very bytes: whether a browser heeds it differs, so that none is to see it. */
export function takeOrientation(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (text(bytes, 12) !== "VP8X") return 1;
  let orientation: number | undefined;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const end = at + 8 + view.getUint32(at + 4, true);
    if (text(bytes, at) === "EXIF") {
      const prefix = text(bytes, at + 8) === "Exif" ? 6 : 0; // a JPEG's, which some writers leave
      orientation ??= orientationOf(bytes.subarray(at + 8 + prefix, end));
      bytes.set([0x68, 0x69, 0x64, 0x65], at); // a chunk of a name that nobody knows is skipped
    }
    at = end + (end & 1);
  }
  bytes[FLAGS] &= ~EXIF_FLAG;
  return orientation ?? 1;
}
