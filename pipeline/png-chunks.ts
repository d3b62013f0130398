import { FivecropError } from "../core/errors.ts";
import type { Size } from "./geometry.ts";

export interface PngHeader extends Size {
  /** Bits of a sample. */
  readonly depth: number;
  /** 0 gray, 2 RGB, 3 palette, 4 gray and alpha, 6 RGB and alpha. */
  readonly colourType: number;
  readonly interlaced: boolean;
}

/** What a PNG consists of, as far as its pixels need it. */
export interface PngChunks {
  readonly header: PngHeader;
  /** Three bytes a colour. */
  readonly palette: Uint8Array;
  /** An alpha for each palette entry, or the one transparent colour, 16 bits a sample. */
  readonly transparency: Uint8Array | undefined;
  readonly exif: Uint8Array | undefined;
  /** The parts of the zlib stream. */
  readonly data: readonly Uint8Array<ArrayBuffer>[];
}

const DEPTHS: Readonly<Record<number, readonly number[]>> = { 0: [1, 2, 4, 8, 16], 2: [8, 16], 3: [1, 2, 4, 8], 4: [8, 16], 6: [8, 16] };
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  return c;
});

function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 255] ^ (c >>> 8);
  return ~c >>> 0;
}

function readHeader(bytes: Uint8Array, view: DataView): PngHeader {
  const [depth, colourType, , , interlace] = bytes.subarray(24, 29);
  if (!DEPTHS[colourType]?.includes(depth)) throw new FivecropError(`no PNG has colour type ${colourType} of ${depth} bits`);
  if (interlace > 1) throw new FivecropError(`unknown interlacing ${interlace}`);
  return { width: view.getUint32(16), height: view.getUint32(20), depth, colourType, interlaced: interlace === 1 };
}

/**
 * A PNG's chunks up to its end, checksums of the critical ones compared.
 * @param check is told the size as soon as it is read
 * @throws FivecropError where a chunk is cut short, missing or wrong
 */
export function readPngChunks(bytes: Uint8Array, check: (size: Size) => void): PngChunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(12) !== 0x49484452) throw new FivecropError("its header is missing");
  const header = readHeader(bytes, view);
  check(header);
  const found = new Map<string, Uint8Array>();
  const data: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 8; !found.has("IEND"); ) {
    if (at + 12 > bytes.length) throw new FivecropError(`it ends after ${bytes.length} bytes, before its IEND chunk`);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) throw new FivecropError(`it ends after ${bytes.length} bytes, within its ${type} chunk`);
    const isCritical = (bytes[at + 4] & 32) === 0;
    if (isCritical && crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end))
      throw new FivecropError(`wrong checksum of its ${type} chunk`);
    const content = bytes.slice(at + 8, end);
    if (type === "IDAT") data.push(content);
    else if (!found.has(type)) found.set(type, content);
    at = end + 4;
  }
  const palette = found.get("PLTE") ?? new Uint8Array();
  if (header.colourType === 3 && (palette.length === 0 || palette.length % 3 > 0))
    throw new FivecropError("its palette is missing or cut short");
  const transparency = header.colourType === 4 || header.colourType === 6 ? undefined : found.get("tRNS");
  return { header, palette, transparency, exif: found.get("eXIf"), data };
}
