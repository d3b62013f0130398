import type { View } from "../pipeline/views.ts";
import type { Classification, Prediction } from "./classifier.ts";
import { largest, mean } from "./probabilities.ts";

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
