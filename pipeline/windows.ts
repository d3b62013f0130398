/** How a pixel of the result is made of the source's. */
export type Filter = keyof typeof CURVES | "nearest";

interface Curve {
  /** Half of the curve's width, in source pixels where nothing shrinks. */
  readonly support: number;
  readonly weight: (x: number) => number;
}

const CURVES = {
  bilinear: { support: 1, weight: (x) => Math.max(0, 1 - Math.abs(x)) },
  /** Keys' cubic with a = −1/2. */
  bicubic: {
    support: 2,
    weight: (signed) => {
      const x = Math.abs(signed);
      if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
    },
  },
} satisfies Record<string, Curve>;

/** Bits of a weight after the point: 32 − 8 for the pixel − 2 for overshoot. */
export const PRECISION = 22;

/** The source pixels [start, end) that one result pixel is made of, along one side. */
export interface Window {
  readonly start: number;
  readonly end: number;
  /** Where the result pixel's middle lies on the source, in pixels. */
  readonly center: number;
  /** Of the curve's values over the window. */
  readonly sum: number;
}

/** A side of `source` pixels that becomes `target`. */
export interface Side {
  readonly source: number;
  /** Source pixels for one of the result's. */
  readonly scale: number;
  /** A shrinking curve widens by this (antialiasing); at least 1. */
  readonly widening: number;
  readonly curve: Curve;
}

export const sideOf = (source: number, target: number, filter: keyof typeof CURVES): Side => {
  const scale = source / target;
  return { source, scale, widening: Math.max(1, scale), curve: CURVES[filter] };
};

const valueAt = ({ curve, widening }: Side, center: number, pixel: number): number => curve.weight((pixel - center + 0.5) * (1 / widening));

/** The window of result pixel i. */
export function windowOf(side: Side, i: number): Window {
  const center = (i + 0.5) * side.scale;
  const reach = side.curve.support * side.widening;
  const start = Math.max(0, Math.trunc(center - reach + 0.5));
  const end = Math.min(side.source, Math.trunc(center + reach + 0.5));
  let sum = 0;
  for (let pixel = start; pixel < end; pixel++) sum += valueAt(side, center, pixel);
  return { start, end, center, sum };
}

/** Weights lie in fours, eight 16-bit numbers each. @returns how many fours hold the weights of so many source pixels */
export const foursOf = (pixels: number): number => Math.ceil(pixels / 4);

const LOW_BITS = 11;

/**
 * The weights of source pixels [from, to) in a window, in units of 2^−22 and rounded as Pillow rounds, as the kernel reads them:
 * w = high · 2^11 + low, and in each four h0 h1 l0 l1 h2 h3 l2 l3, zeros at the end.
 * @returns the index in `into` after the last four
 */
export function writeWeights(side: Side, { center, sum }: Window, from: number, to: number, into: Int16Array, at: number): number {
  const end = at + 8 * foursOf(to - from);
  into.fill(0, end - 8, end);
  for (let pixel = from; pixel < to; pixel++) {
    const value = valueAt(side, center, pixel);
    const exact = (sum === 0 ? value : value / sum) * 2 ** PRECISION;
    const weight = Math.trunc(exact < 0 ? exact - 0.5 : exact + 0.5);
    const t = pixel - from;
    const place = at + 4 * (t >> 1) + (t & 1);
    into[place] = weight >> LOW_BITS;
    into[place + 2] = weight & (2 ** LOW_BITS - 1);
  }
  return end;
}
