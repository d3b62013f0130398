import { FivecropError } from "../core/errors.ts";
import type { OutputKind } from "../export/metadata.ts";

/** How a row of the network's output becomes probabilities, in float64. */
const TO_PROBABILITIES: { readonly [K in OutputKind]: (row: Float32Array, temperature: number) => Float64Array } = {
  logits: (row, temperature) => softmax(temperature === 1 ? row : Float64Array.from(row, (x) => x / temperature)),
  probabilities: (row) => Float64Array.from(row),
  "log-probabilities": (row, temperature) =>
    temperature === 1 ? Float64Array.from(row, Math.exp) : softmax(Float64Array.from(row, (x) => x / temperature)),
};

/** pᵢ = exp(xᵢ − max x) / Σ exp(xⱼ − max x), in float64: no logit is too large. */
export function softmax(row: ArrayLike<number>): Float64Array {
  const result = new Float64Array(row.length);
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < row.length; i++) largest = Math.max(largest, row[i]);
  let sum = 0;
  for (let i = 0; i < row.length; i++) {
    result[i] = Math.exp(row[i] - largest);
    sum += result[i];
  }
  for (let i = 0; i < row.length; i++) result[i] /= sum;
  return result;
}

/**
 * A row of a network's output as probabilities.
 * @param options.temperature logits, or log-probabilities, which are logits but for a constant, are divided by it, 1; probabilities have none.
 * @param options.name what messages call the model
 * @throws FivecropError where they are not numbers: the weights or the input were not.
 */
export function toProbabilities(
  row: Float32Array,
  kind: OutputKind,
  { temperature = 1, name = "the model" }: { readonly temperature?: number; readonly name?: string } = {},
): Float64Array {
  const result = TO_PROBABILITIES[kind](row, temperature);
  for (let i = 0; i < result.length; i++)
    if (!Number.isFinite(result[i]))
      throw new FivecropError(
        `${name}: its output (${kind}) gives probabilities that are not numbers: its weights or this input are not finite`,
      );
  return result;
}

export const sumOf = (row: ArrayLike<number>): number => Array.from(row).reduce((a, b) => a + b, 0);

/** Whether numbers of several classes lie in [0, 1] and sum to one: logits do so by a rare chance only. */
export const likeProbabilities = (row: Float32Array): boolean =>
  row.length > 1 && row.every((p) => p >= 0 && p <= 1) && Math.abs(sumOf(row) - 1) < 1e-3;

/** The mean of several lists of probabilities; of one, that list. */
export function mean(lists: readonly Float64Array[]): Float64Array {
  if (lists.length === 1) return lists[0];
  const result = new Float64Array(lists[0].length);
  for (let i = 0; i < result.length; i++) {
    for (const list of lists) result[i] += list[i];
    result[i] /= lists.length;
  }
  return result;
}

/** The indices of the largest numbers, largest first; of equal ones the first comes first. */
export function largest(values: ArrayLike<number>, count: number): number[] {
  const order = Array.from({ length: values.length }, (_, i) => i);
  return order.sort((a, b) => values[b] - values[a] || a - b).slice(0, count);
}

/** How many come before one in that order: 0 for the largest. */
export function rankOf(values: ArrayLike<number>, index: number): number {
  let rank = 0;
  for (let i = 0; i < values.length; i++) if (values[i] > values[index] || (values[i] === values[index] && i < index)) rank++;
  return rank;
}
