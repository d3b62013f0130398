import { FivecropError } from "./errors.ts";

/** One field of an encoded message: bytes [start, end) with its tag and length; its content, where it has a length, from `content`. */
export interface Field {
  readonly number: number;
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/**
 * The fields of a protocol buffers message, in order. Nothing is copied: a field of 500 MB costs as much as one of a byte.
 * @throws FivecropError where the bytes are no such message.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export function* fieldsOf(bytes: Uint8Array): Generator<Field, void, undefined> {
  let at = 0;
  const varint = (): number => {
    for (let value = 0, scale = 1; at < bytes.length && scale <= 2 ** 63; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw new FivecropError(`not a protocol buffers message: a number is cut off at byte ${at}`);
  };
  while (at < bytes.length) {
    const start = at;
    const tag = varint();
    const [number, wire] = [Math.floor(tag / 8), tag % 8];
    const length = wire === 2 ? varint() : wire === 1 ? 8 : wire === 5 ? 4 : 0;
    const content = at;
    if (wire === 0) varint();
    at += length;
    if (number === 0 || ![0, 1, 2, 5].includes(wire) || at > bytes.length)
      throw new FivecropError(`not a protocol buffers message: field ${number} at byte ${start} is wrong or cut off`);
    yield { number, start, content, end: at };
  }
}

/** A whole number as seven bits a byte, least first; a negative one is its 64-bit two's complement. */
function encodeVarint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    bytes.push(Number(rest & 127n) + (rest >= 128n ? 128 : 0));
    if (rest < 128n) return bytes;
  }
}

/** A field of bytes with its tag and length. */
export const encodeField = (number: number, content: Uint8Array): Uint8Array =>
  concatenate([Uint8Array.from([...encodeVarint(number * 8 + 2), ...encodeVarint(content.length)]), content]);

/** A field of a whole number with its tag. */
export const encodeNumber = (number: number, value: number): Uint8Array =>
  Uint8Array.from([...encodeVarint(number * 8), ...encodeVarint(value)]);

/** Pieces one behind the other, in one copy. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
