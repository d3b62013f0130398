import { checkWhole } from "../core/check.ts";
import { UsageError } from "../core/errors.ts";
import { type BatchPlan, batchCount } from "../pipeline/batches.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import type { FitOptions } from "./fit.ts";

/** The first epochs of a run, or those after the stage before, on images of another size. */
export interface SizeStage {
  /** The shorter side of the network's input, in pixels. */
  readonly size: number;
  readonly epochs: number;
  /** The run's own where it is left out. */
  readonly batchSize?: number;
}

/** What one epoch trains on, and where it lies in the run. */
export interface EpochPlan {
  /** Counted from 0. */
  readonly epoch: number;
  readonly preprocess: PreprocessSpec;
  readonly batchSize: number;
  readonly steps: number;
  /** Steps of the run before it. */
  readonly firstStep: number;
  /** What of the run's work, images times their pixels, is done before it and at its end: [0, 1]. */
  readonly from: number;
  readonly to: number;
}

/** All epochs of a run, in order. */
export function planEpochs(
  images: number,
  { epochs, batchSize, preprocess, sizes = [] }: Pick<FitOptions, "epochs" | "batchSize" | "preprocess" | "sizes">,
): readonly EpochPlan[] {
  const stages = sizes.flatMap((stage) => Array.from({ length: stage.epochs }, () => stage));
  const chosen = Array.from({ length: epochs }, (_, epoch) => {
    const stage = stages[epoch];
    const size = stage?.batchSize ?? batchSize;
    return {
      epoch,
      preprocess: stage ? preprocessAt(preprocess, stage.size) : preprocess,
      batchSize: size,
      steps: batchCount(images, size),
    };
  });
  const workOf = ({ preprocess: { crop } }: (typeof chosen)[number]): number => images * crop[0] * crop[1];
  const all = chosen.reduce((sum, each) => sum + workOf(each), 0);
  let [firstStep, done] = [0, 0];
  return chosen.map((each) => {
    const plan = { ...each, firstStep, from: done / all, to: (done + workOf(each)) / all };
    firstStep += each.steps;
    done += workOf(each);
    return plan;
  });
}

/** Steps of the whole run. */
export const totalSteps = (epochs: readonly EpochPlan[]): number => epochs.reduce((sum, { steps }) => sum + steps, 0);

/**
 * The preprocessing whose input's shorter side is `size`: resize and crop in proportion, so that it shows the same part of a picture.
 * A picture that is not resized (`resize: null`) is resized as a whole to the new crop.
 */
export function preprocessAt(spec: PreprocessSpec, size: number): PreprocessSpec {
  const shorter = Math.min(...spec.crop);
  if (size === shorter) return spec;
  const scaled = (side: number): number => Math.max(1, Math.round((side * size) / shorter));
  const crop = [scaled(spec.crop[0]), scaled(spec.crop[1])] as const;
  const { resize } = spec;
  if (resize === null) return { ...spec, resize: crop, crop };
  return { ...spec, resize: typeof resize === "number" ? scaled(resize) : [scaled(resize[0]), scaled(resize[1])], crop };
}

/** The batches of an epoch, from one on. */
export const batchPlan = (
  { seed = 0, augmentations = [], labelSmoothing = 0 }: FitOptions,
  { epoch, batchSize, preprocess }: EpochPlan,
  firstBatch: number,
): BatchPlan => ({ batchSize, seed, epoch, shuffle: true, preprocess, augmentations, labelSmoothing, firstBatch });

/** All of a data set's images as they are, at the preprocessing's own size. */
export const validationPlan = ({ batchSize, seed = 0, preprocess }: FitOptions): BatchPlan => ({
  batchSize,
  seed,
  epoch: 0,
  shuffle: false,
  preprocess,
  augmentations: [],
  labelSmoothing: 0,
  firstBatch: 0,
});

/** @throws UsageError where a stage's number is out of range, or there are more epochs in stages than in the run. */
export function checkSizes(sizes: readonly SizeStage[], epochs: number): void {
  for (const stage of sizes)
    for (const [what, value] of Object.entries({ "image size": stage.size, epochs: stage.epochs, "batch size": stage.batchSize ?? 1 }))
      checkWhole(`sizes: ${what}`, value, 1);
  const staged = sizes.reduce((sum, stage) => sum + stage.epochs, 0);
  if (staged > epochs) throw new UsageError(`sizes: expected at most the run's ${epochs} epochs, received ${staged} in all.`);
}
