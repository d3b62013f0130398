import type { BatchPlan } from "../pipeline/batches.ts";
import type { Loader } from "../pipeline/loader.ts";
import type { TrainingEngine } from "./engine.ts";
import { countCorrect, crossEntropy } from "./metrics.ts";

/** How well the weights do on a data set. */
export interface Validation {
  /** Mean cross-entropy. */
  readonly loss: number;
  readonly accuracy: number;
}

/** A validation, where there is data for one, and how long it took. */
export interface Measured {
  readonly validation?: Validation;
  readonly seconds: number;
}

/**
 * Mean cross-entropy and accuracy of a data set, by the weights as they are, or by their average where the engine keeps one.
 * @returns undefined where the signal came in between.
 */
export async function validate(
  engine: TrainingEngine,
  loader: Loader,
  plan: BatchPlan,
  signal?: AbortSignal,
): Promise<Validation | undefined> {
  let [loss, correct] = [0, 0];
  for await (const { images, labels } of loader.batches(plan)) {
    const logits = await engine.predict(images);
    loss += crossEntropy(logits, labels);
    correct += countCorrect(logits, labels);
    if (signal?.aborted) return undefined;
  }
  return { loss: loss / loader.length, accuracy: correct / loader.length };
}
