/** Seeded random numbers. Nothing in the project draws from anywhere else. */
export interface Random {
  /** An independent stream that depends on this one's seed and the names alone, never on what was drawn. */
  fork(...names: readonly (string | number)[]): Random;
  /** Uniform on [0, 1), one of 2^24 values: each is exact in float32, and none rounds to 1. */
  uniform(): number;
  /** So many of the same, one after the other, in a fraction of the time. */
  uniforms(length: number): Float32Array<ArrayBuffer>;
  /** Uniform on the integers [0, below). */
  integer(below: number): number;
  /** Normal with mean 0 and variance 1, by Box and Muller's transform. */
  normal(): number;
  /** So many of the same, one after the other, times `deviation`. */
  normals(length: number, deviation: number): Float32Array<ArrayBuffer>;
  /** The numbers 0 … length − 1 in a random order, by Fisher and Yates. */
  permutation(length: number): Uint32Array;
}

/** Murmur3's 32-bit finalizer: every input bit changes every output bit with probability one half. */
function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function hash(seed: number, name: string | number): number {
  let h = mix(seed ^ (typeof name === "number" ? 0x9e3779b9 : 0x7f4a7c15));
  for (const character of String(name)) h = mix(h ^ Math.imul(character.codePointAt(0) ?? 0, 0x9e3779b1));
  return h;
}

/** Pairs of uniform numbers that are in memory at a time where many normal ones are drawn. */
const PAIRS = 2 ** 15;

const boxMuller = (u: number, v: number): number => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);

/**
 * The stream of a seed: xoshiro128**, its state filled from the seed.
 * @see Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2021
 */
export function random(seed: number): Random {
  const root = mix(seed >>> 0) ^ mix(Math.floor(seed / 2 ** 32) + 0x632be59b);
  const s = Uint32Array.from([1, 2, 3, 4], (i) => mix(root + Math.imul(i, 0x9e3779b9)));
  const bits = (): number => {
    const product = Math.imul(s[1], 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  };
  const uniform = (): number => (bits() >>> 8) / 2 ** 24;
  /** `bits` in a loop, its state in numbers that the compiler keeps in registers. */
  const uniforms = (length: number): Float32Array<ArrayBuffer> => {
    const values = new Float32Array(length);
    let [s0, s1, s2, s3] = [s[0] | 0, s[1] | 0, s[2] | 0, s[3] | 0];
    for (let i = 0; i < length; i++) {
      const product = Math.imul(s1, 5);
      values[i] = (Math.imul((product << 7) | (product >>> 25), 9) >>> 8) / 2 ** 24;
      const t = s1 << 9;
      s2 ^= s0;
      s3 ^= s1;
      s1 ^= s2;
      s0 ^= s3;
      s2 ^= t;
      s3 = (s3 << 11) | (s3 >>> 21);
    }
    s.set([s0, s1, s2, s3]);
    return values;
  };
  const normals = (length: number, deviation: number): Float32Array<ArrayBuffer> => {
    const values = new Float32Array(length);
    for (let from = 0; from < length; from += PAIRS) {
      const pairs = uniforms(2 * Math.min(PAIRS, length - from));
      for (let i = 0; i < pairs.length; i += 2) values[from + i / 2] = boxMuller(pairs[i], pairs[i + 1]) * deviation;
    }
    return values;
  };
  const integer = (below: number): number => {
    const limit = 2 ** 32 - (2 ** 32 % below); // rejection keeps every integer equally likely
    let value = bits();
    while (value >= limit) value = bits();
    return value % below;
  };
  return {
    fork: (...names) => random(names.reduce<number>(hash, root)),
    uniform,
    integer,
    uniforms,
    normal: () => boxMuller(uniform(), uniform()),
    normals,
    permutation: (length) => {
      const order = Uint32Array.from({ length }, (_, i) => i);
      for (let i = length - 1; i > 0; i--) {
        const j = integer(i + 1);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    },
  };
}
