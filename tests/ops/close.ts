import { expect } from "vitest";

/** The largest difference between two lists of numbers, in units of the largest expected magnitude or 1; NaN and infinities must be equal. */
export function largestError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let scale = 1;
  let error = 0;
  for (let i = 0; i < expected.length; i++) {
    if (Number.isFinite(expected[i])) scale = Math.max(scale, Math.abs(expected[i]));
    if (!Object.is(actual[i], expected[i]) && !(actual[i] === expected[i])) {
      const difference = Math.abs(actual[i] - expected[i]);
      error = Math.max(error, Number.isFinite(difference) ? difference : Number.POSITIVE_INFINITY);
    }
  }
  return error / scale;
}
