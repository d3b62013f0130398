import { UsageError } from "../core/errors.ts";
import type { View } from "../pipeline/views.ts";
import type { Classification, Prediction } from "./classifier.ts";
import { largest, mean } from "./probabilities.ts";

/** @throws UsageError where it is no number of predictions. */
export function checkTop(top: number): void {
  if (!(Number.isInteger(top) && top >= 1)) throw new UsageError(`top: expected a whole number from 1, received ${top}`);
}

/** What lists of probabilities say: all together, and each view's own. */
export function toClassification(
  lists: readonly Float64Array[],
  views: readonly View[],
  labels: readonly string[],
  top: number,
): Classification {
  const all = mean(lists);
  const best = (list: Float64Array): Prediction[] =>
    largest(list, top).map((classIndex) => ({ label: labels[classIndex], classIndex, probability: list[classIndex] }));
  return {
    predictions: best(all),
    probabilities: Float32Array.from(all),
    views: views.map((view, i) => ({ view, predictions: best(lists[i]), probabilities: Float32Array.from(lists[i]) })),
  };
}
