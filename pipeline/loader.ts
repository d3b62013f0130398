import { type Batch, type BatchPlan, batches } from "./batches.ts";
import type { Dataset } from "./dataset.ts";

/** Makes a data set's batches, epoch after epoch. */
export interface Loader {
  readonly name: string;
  readonly classNames: readonly string[];
  /** Images in the data set. */
  readonly length: number;
  /** What it gives of each, [C, H, W], where that is not what the plan's preprocessing makes: features. */
  readonly imageShape?: readonly [number, number, number];
  /** The plan's batches in order. Leaving the loop early is fine; starting again ends what was started before. */
  batches(plan: BatchPlan): AsyncGenerator<Batch, void, undefined>;
  dispose(): Promise<void>;
}

/** A loader that makes batches in this thread, when they are asked for. */
export const hereLoader = (dataset: Dataset): Loader => ({
  name: dataset.name,
  classNames: dataset.classNames,
  length: dataset.length,
  batches: (plan) => batches(dataset, plan),
  dispose: async () => undefined,
});
