// What an AVIF says of itself in its boxes. @see ISO/IEC 14496-12, 4.2; ISO/IEC 23008-12, 6.5.3
import { FivecropError } from "../core/errors.ts";
import type { Size } from "./geometry.ts";

interface Box {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
}

function* boxesIn(view: DataView, from: number, to: number): Generator<Box> {
  for (let at = from; at + 8 <= to; ) {
    const kind = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    const short = view.getUint32(at);
    const header = short === 1 ? 16 : 8;
    if (at + header > to) return;
    const length = short === 1 ? Number(view.getBigUint64(at + 8)) : short || to - at;
    if (length < header) return;
    yield { kind, from: at + header, to: Math.min(to, at + length) };
    at += length;
  }
}

/** Boxes that hold others, and how many bytes stand before those. */
const HOLDERS: Readonly<Record<string, number | undefined>> = { meta: 4, iprp: 0, ipco: 0, moov: 0, trak: 0 };

/** Boxes that state a size: a picture's, and a moving picture's track's, in 1/65536 of a pixel at its end. */
const SIZES: Readonly<Record<string, ((view: DataView, box: Box) => Size) | undefined>> = {
  ispe: (view, { from }) => ({ width: view.getUint32(from + 4), height: view.getUint32(from + 8) }),
  tkhd: (view, { to }) => ({ width: view.getUint32(to - 8) / 65536, height: view.getUint32(to - 4) / 65536 }),
};

function* sizesIn(view: DataView, from: number, to: number): Generator<Size> {
  for (const box of boxesIn(view, from, to)) {
    const size = SIZES[box.kind]?.(view, box);
    if (size) yield size;
    const before = HOLDERS[box.kind];
    if (before !== undefined) yield* sizesIn(view, box.from + before, box.to);
  }
}

/** The largest size that any of its pictures states. @throws FivecropError where none does */
export function avifSize(bytes: Uint8Array): Size {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let found: Size = { width: 0, height: 0 };
  for (const size of sizesIn(view, 0, bytes.length)) if (size.width * size.height > found.width * found.height) found = size;
  if (found.width * found.height === 0) throw new FivecropError("it states no size");
  return found;
}
