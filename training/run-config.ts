import { UsageError } from "../core/errors.ts";
import { ARCHITECTURES } from "../models/architectures/index.ts";
import type { AugmentationSpec } from "../pipeline/augmentations.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { createOptimizer, type Optimizer, type OptimizerOptions } from "./optimizers.ts";
import { parseSchedule } from "./schedules.ts";

/** Everything that a run is asked for, as plain JSON: with the data it determines the result. */
export interface RunConfig extends OptimizerOptions {
  readonly model: string;
  /** A data set's name. */
  readonly data: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: string;
  readonly learningRate: number;
  readonly schedule: string;
  readonly seed: number;
  /** The share of the training split that is kept for validation. */
  readonly validation: number;
  readonly labelSmoothing: number;
  readonly augmentations: readonly AugmentationSpec[];
  readonly patience?: number;
  readonly threads?: number;
}

export const DEFAULTS = {
  epochs: 10,
  batchSize: 64,
  optimizer: "adam",
  learningRate: 0.001,
  schedule: "constant",
  seed: 0,
  validation: 0.2,
  labelSmoothing: 0,
  augmentations: [],
} as const satisfies Partial<RunConfig>;

/** @throws UsageError for an unknown optimizer, or an option that it does not have. */
export function optimizerOf({ optimizer, momentum, nesterov, weightDecay, beta1, beta2, epsilon }: RunConfig): Optimizer {
  const given = Object.entries({ momentum, nesterov, weightDecay, beta1, beta2, epsilon }).filter(([, value]) => value !== undefined);
  const foreign = given.find(([name]) => (optimizer === "sgd" ? ["beta1", "beta2", "epsilon"] : ["momentum", "nesterov"]).includes(name));
  if (foreign) throw new UsageError(`optimizer '${optimizer}' has no option '${foreign[0]}'.`);
  return createOptimizer(optimizer, Object.fromEntries(given));
}

/** With every number that the optimizer and the schedule take where none is given: the run is the same when those change. @throws UsageError */
export const completed = (config: RunConfig): RunConfig => ({
  ...config,
  ...optimizerOf(config).options,
  schedule: parseSchedule(config.schedule).complete,
});

/** A data set's preprocessing for a network that takes [C, H, W]: its images are resized and made gray or colour where they differ. */
export function preprocessFor(spec: PreprocessSpec, [channels, height, width]: readonly [number, number, number]): PreprocessSpec {
  const sized =
    String(spec.crop) === String([height, width]) ? spec : { ...spec, resize: [height, width] as const, crop: [height, width] as const };
  if (spec.channels === channels) return sized;
  const wide = (list: readonly number[]) =>
    channels === 1 ? [list.reduce((a, b) => a + b) / list.length] : Array<number>(channels).fill(list[0]);
  return { ...sized, channels: channels as 1 | 3, mean: wide(spec.mean), std: wide(spec.std) };
}

/** The image that an architecture was made for. @throws UsageError for an unknown one (by createNetwork, which is asked first). */
export const inputOf = (model: string): readonly [number, number, number] => ARCHITECTURES[model as keyof typeof ARCHITECTURES].input;
