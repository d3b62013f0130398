import { type Fingerprint, THUMBNAIL } from "./fingerprint.ts";

/** Bits of 64 in which the hashes of near-duplicates may differ. Copies compressed again, halved or cut by 2 % differ in up to 5. */
const MOST_BITS = 5;
/** Levels of 255 by which their thumbnails may differ, in the mean: what the hash alone takes for the same, such as two plain pictures, differs by more. */
const MOST_LEVELS = 6;
/** Hashes that differ in at most MOST_BITS bits agree in one of so many parts. */
const PARTS = MOST_BITS + 1;

/** Fingerprints of many pictures. */
export interface Fingerprints {
  readonly length: number;
  /** Two words each. */
  readonly hashes: Uint32Array;
  readonly thumbnails: Uint8Array;
}

/** Room for so many. */
export const createFingerprints = (length: number): Fingerprints => ({
  length,
  hashes: new Uint32Array(2 * length),
  thumbnails: new Uint8Array(THUMBNAIL * length),
});

/** Puts one in its place. */
export function setFingerprint({ hashes, thumbnails }: Fingerprints, index: number, { hash, thumbnail }: Fingerprint): void {
  hashes.set(hash, 2 * index);
  thumbnails.set(thumbnail, THUMBNAIL * index);
}

/** These of them, in this order. */
export function pickFingerprints({ hashes, thumbnails }: Fingerprints, indices: readonly number[]): Fingerprints {
  const picked = createFingerprints(indices.length);
  for (const [i, index] of indices.entries()) {
    picked.hashes.set(hashes.subarray(2 * index, 2 * index + 2), 2 * i);
    picked.thumbnails.set(thumbnails.subarray(THUMBNAIL * index, THUMBNAIL * (index + 1)), THUMBNAIL * i);
  }
  return picked;
}

/** Two pictures that look alike. */
export interface NearPair {
  /** Its place among the first pictures. */
  readonly index: number;
  /** The place of what is nearest to it among the second. */
  readonly twin: number;
  /** Bits in which their hashes differ. */
  readonly distance: number;
  /** Levels of 255 by which their thumbnails differ, in the mean. */
  readonly difference: number;
}

/** The number of bits that are set. */
function bitCount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Every PARTS-th bit from bit `part`: spread over the picture, so that a plain border does not make a part the same in all. */
function partOf(hashes: Uint32Array, index: number, part: number): number {
  let value = 0;
  for (let bit = part; bit < 64; bit += PARTS) value = (value << 1) | ((hashes[2 * index + (bit >> 5)] >>> (bit & 31)) & 1);
  return value;
}

/** Pictures by a part of their hash: those of value v are items[starts[v]] … items[starts[v + 1] − 1]. */
interface Buckets {
  readonly values: Uint16Array;
  readonly starts: Uint32Array;
  readonly items: Uint32Array;
}

function bucketsOf({ length, hashes }: Fingerprints, part: number): Buckets {
  const values = Uint16Array.from({ length }, (_, i) => partOf(hashes, i, part));
  const starts = new Uint32Array(2 ** Math.ceil(64 / PARTS) + 1);
  for (const value of values) starts[value + 1]++;
  for (let v = 1; v < starts.length; v++) starts[v] += starts[v - 1];
  const next = starts.slice();
  const items = new Uint32Array(length);
  for (let i = 0; i < length; i++) items[next[values[i]]++] = i;
  return { values, starts, items };
}

/** The sum over the thumbnails' absolute differences; some number from `limit` where it reaches that. */
function thumbnailDistance(a: Uint8Array, i: number, b: Uint8Array, j: number, limit: number): number {
  let sum = 0;
  for (let k = 0; k < THUMBNAIL && sum < limit; k++) sum += Math.abs(a[THUMBNAIL * i + k] - b[THUMBNAIL * j + k]);
  return sum;
}

/** Whether pictures agree in a part before this one: they were compared there. */
function agreeBefore(tables: readonly Buckets[], own: readonly number[], part: number, twin: number): boolean {
  for (let earlier = 0; earlier < part; earlier++) if (tables[earlier].values[twin] === own[earlier]) return true;
  return false;
}

/**
 * Finds a picture's nearest near-duplicate among many, the first of equal ones. It is only compared with those that agree in a part of its hash: with
 * 6 of 2000 where hashes are spread.
 * @returns what finds it for the picture at an index of others
 * @see https://doi.org/10.1109/CVPR.2012.6248043 (Norouzi et al., multi-index hashing)
 */
export function createNearSearch(second: Fingerprints): (first: Fingerprints, index: number) => NearPair | undefined {
  const tables = Array.from({ length: PARTS }, (_, part) => bucketsOf(second, part));
  const most = MOST_LEVELS * THUMBNAIL;
  return (first, index) => {
    const [upper, lower] = first.hashes.subarray(2 * index, 2 * index + 2);
    const own = tables.map((_, part) => partOf(first.hashes, index, part));
    let best = { twin: -1, distance: 0, sum: most + 1 };
    for (let part = 0; part < PARTS; part++) {
      const { starts, items } = tables[part];
      for (let at = starts[own[part]]; at < starts[own[part] + 1]; at++) {
        const twin = items[at];
        const distance = bitCount(upper ^ second.hashes[2 * twin]) + bitCount(lower ^ second.hashes[2 * twin + 1]);
        if (distance > MOST_BITS || agreeBefore(tables, own, part, twin)) continue;
        const sum = thumbnailDistance(first.thumbnails, index, second.thumbnails, twin, best.sum + 1);
        if (sum < best.sum || (sum === best.sum && best.twin >= 0 && twin < best.twin)) best = { twin, distance, sum };
      }
    }
    return best.twin < 0 ? undefined : { index, twin: best.twin, distance: best.distance, difference: best.sum / THUMBNAIL };
  };
}
