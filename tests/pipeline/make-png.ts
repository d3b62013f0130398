import { crc32, deflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** A chunk's bytes: its length, its type, its content, and their checksum. */
export function pngChunk(type: string, content: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), content]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

export interface MadePng {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colourType: number;
  /** Rows with their filter bytes, not compressed. */
  readonly rows: Uint8Array;
  /** Chunks between the header and the data. */
  readonly more?: Readonly<Record<string, Uint8Array>>;
}

/** A PNG of these parts, checksums right. */
export function makePng({ width, height, depth, colourType, rows, more = {} }: MadePng): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  header[9] = colourType;
  const between = Object.entries(more).map(([type, content]) => pngChunk(type, content));
  return Buffer.concat([
    SIGNATURE,
    pngChunk("IHDR", header),
    ...between,
    pngChunk("IDAT", deflateSync(rows)),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}
