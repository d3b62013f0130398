import { FivecropError } from "../core/errors.ts";
import type { ProgressBar } from "../core/progress-bar.node.ts";
import { count, remaining } from "../core/text.ts";
import type { Dataset } from "../pipeline/dataset.ts";
import type { Classifier } from "./classifier.ts";
import { type EvaluateOptions, type Evaluation, evaluate } from "./evaluate.ts";
import type { ImageSource } from "./image-source.node.ts";

export interface ShowEvaluationOptions extends Omit<EvaluateOptions, "files"> {
  readonly progress: ProgressBar;
  /** A picture that cannot be read is an error, and not named and left out. */
  readonly strict?: boolean;
  readonly signal?: AbortSignal;
}

/** Evaluates, and shows how far it is, and what cannot be read. @throws FivecropError, UsageError as evaluate does */
export async function showEvaluation(
  classifier: Classifier<ImageSource>,
  dataset: Dataset,
  { progress, strict = false, signal, ...options }: ShowEvaluationOptions,
): Promise<readonly Evaluation[]> {
  try {
    for await (const event of evaluate(classifier, dataset, { ...options, files: classifier })) {
      if (event.kind === "result") return event.evaluations;
      if (event.kind === "unreadable") {
        progress.clear();
        if (strict) throw new FivecropError(`${event.message} (--strict was said)`);
        process.stderr.write(`fivecrop: left out: ${event.message}\n`);
        continue;
      }
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
