import type { ProgressBar } from "../core/progress-bar.node.ts";
import { count, remaining } from "../core/text.ts";
import type { Dataset } from "../pipeline/dataset.ts";
import type { Classifier } from "./classifier.ts";
import { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts";

/** Evaluates, and shows how far it is. */
export async function showEvaluation(
  classifier: Pick<Classifier, "labels" | "probabilities" | "views">,
  dataset: Dataset,
  { progress, signal, ...options }: EvaluateOptions & { readonly progress: ProgressBar; readonly signal?: AbortSignal },
): Promise<readonly Evaluation[]> {
  try {
    for await (const event of evaluate(classifier, dataset, options)) {
      if (event.kind === "result") return event.evaluations;
      const { done, total, imagesPerSecond } = event;
      const left = remaining((total - done) / imagesPerSecond);
      progress.show(done, total, "evaluate", `${count(imagesPerSecond)} img/s  ${left} left`);
      if (signal?.aborted) break;
    }
    return [];
  } finally {
    progress.clear();
  }
}
