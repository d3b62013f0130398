import type { Random } from "../../../core/random.ts";

/** Changes bytes as broken disks, cut downloads and malice do. `other` is another file, of any format. */
export type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

/** Numbers at which readers go wrong: nothing, limits of 8, 16, 31 and 32 bits, sizes that no memory holds. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

const join = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
const one = <T>(list: readonly T[], random: Random): T => list[random.integer(list.length)];
/** A place in the file; half of them near its start, where headers are. */
const place = (bytes: Uint8Array, random: Random): number =>
  random.integer(Math.max(1, random.integer(2) ? Math.min(bytes.length, 160) : bytes.length));
const piece = (bytes: Uint8Array, random: Random): readonly [from: number, to: number] => {
  const from = place(bytes, random);
  return [from, Math.min(bytes.length, from + 1 + random.integer(random.integer(2) ? 16 : 400))];
};

const edited = (bytes: Uint8Array, edit: (copy: DataView) => void): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  edit(new DataView(copy.buffer));
  return copy;
};

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  flipBits: (bytes, random) =>
    edited(bytes, (copy) => {
      for (let n = 1 + random.integer(8); n > 0; n--) {
        const at = place(bytes, random);
        copy.setUint8(at, copy.getUint8(at) ^ (1 << random.integer(8)));
      }
    }),
  noise: (bytes, random) =>
    edited(bytes, (copy) => {
      const [from, to] = piece(bytes, random);
      for (let at = from; at < to; at++) copy.setUint8(at, random.integer(256));
    }),
  /** A length, a size, an offset: of two or four bytes, in both orders. */
  number: (bytes, random) =>
    edited(bytes, (copy) => {
      for (let n = 1 + random.integer(2); n > 0; n--) {
        const at = Math.min(place(bytes, random), bytes.length - 4);
        const little = random.integer(2) === 0;
        if (random.integer(2)) copy.setUint16(at, one(EDGES, random), little);
        else copy.setUint32(at, one(EDGES, random), little);
      }
    }),
  cut: (bytes, random) => bytes.subarray(0, place(bytes, random)),
  remove: (bytes, random) => {
    const [from, to] = piece(bytes, random);
    return join(bytes.subarray(0, from), bytes.subarray(to));
  },
  insert: (bytes, random) => {
    const at = place(bytes, random);
    const added = Uint8Array.from({ length: 1 + random.integer(64) }, () => random.integer(256));
    return join(bytes.subarray(0, at), added, bytes.subarray(at));
  },
  repeat: (bytes, random) => {
    const [from, to] = piece(bytes, random);
    const times = 1 + random.integer(random.integer(4) ? 3 : 300);
    return join(bytes.subarray(0, to), ...Array<Uint8Array>(times).fill(bytes.subarray(from, to)), bytes.subarray(to));
  },
  otherTail: (bytes, random, other) => join(bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random))),
  otherHead: (bytes, random, other) => {
    const length = 1 + random.integer(64);
    return join(other.subarray(0, length), bytes.subarray(length));
  },
};

/** Whether nothing is left to read. */
const isEmpty = ({ length }: Uint8Array): boolean => length === 0;

/** One to three mutations after each other; never the file as it was. */
export function mutate(
  bytes: Uint8Array,
  random: Random,
  other: Uint8Array,
  mutations: Readonly<Record<string, Mutation>> = MUTATIONS,
): Uint8Array {
  let result = bytes;
  for (let n = 1 + random.integer(random.integer(3) ? 1 : 3); n > 0 && result.length >= 4; n--)
    result = one(Object.values(mutations), random)(result, random, other);
  return isEmpty(result) || Buffer.compare(result, bytes) !== 0 ? result : mutate(bytes, random, other, mutations);
}
