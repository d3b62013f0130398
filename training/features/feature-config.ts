import { checkWhole } from "../../core/check.ts";
import { UsageError } from "../../core/errors.ts";
import { BACKBONES, type Backbone, backboneOf } from "../../models/backbones.ts";
import { headOf } from "../../models/network-options.ts";
import { createStage } from "../../pipeline/augmentations/spec.ts";
import { type PreprocessSpec, validatePreprocess } from "../../pipeline/preprocess.ts";
import { presetOf } from "../../pipeline/presets.ts";
import type { RunConfig } from "../run-config.ts";

/**
 * What a run on features does where nothing else is asked for. Ten crops, half of them mirrored, stand for a picture: parts of other sizes gained nothing.
 * Rate and smoothing had the best validation accuracy on the Flowers sample; of more epochs than these only the time was longer by more than its noise.
 */
export const FEATURE_DEFAULTS = {
  views: 10,
  augmentations: [{ kind: "random-crop", padding: 0 }, { kind: "flip" }],
  labelSmoothing: 0.2,
  epochs: 12,
  batchSize: 256,
  learningRate: 0.01,
  schedule: "cosine:0/step",
} as const satisfies Partial<RunConfig>;

/** The fewest steps of an epoch: few pictures are trained on in smaller batches. */
const STEPS = 10;

export const featureBatchSize = (rows: number, wanted: number): number => Math.max(1, Math.min(wanted, Math.ceil(rows / STEPS)));

/** Fields of a run that mean nothing where a backbone's features are trained on, and why. */
const FOREIGN: Readonly<Partial<Record<keyof RunConfig, readonly [flag: string, why: string]>>> = {
  preprocess: ["--preprocess", "its backbone was trained with a preprocessing of its own"],
  preset: ["--preset", "its backbone was trained with a preprocessing of its own"],
  sizes: ["--sizes", "its backbone takes images of one size"],
  initialization: ["--initialization", "its backbone is trained already"],
  weights: ["--weights", "its backbone is trained already"],
  freeze: ["--freeze", "its backbone always stays as it is"],
  learningRateBackbone: ["--lr-backbone", "its backbone always stays as it is"],
  features: ["--features", "it belongs to an ONNX file as --model"],
};

/**
 * A run's backbone; undefined where it trains a whole network.
 * @throws UsageError where an option belongs to the other kind of run.
 */
export function backboneOfRun(config: Pick<RunConfig, "model"> & Partial<RunConfig>): Backbone | undefined {
  const { model, views, head, dropout, augmentations = [] } = config;
  const backbone = backboneOf(model);
  if (!backbone) {
    if (views !== undefined)
      throw new UsageError(
        `--views: it belongs to the networks on features (${Object.keys(BACKBONES).join(", ")}), and '${model}' sees new views in each epoch. To fix: leave it out.`,
      );
    return undefined;
  }
  for (const [field, [flag, why]] of Object.entries(FOREIGN))
    if (config[field as keyof RunConfig] !== undefined)
      throw new UsageError(`${flag}: '${model}' does not take it: ${why}. To fix: leave it out, or name another --model.`);
  if (views !== undefined) checkWhole("--views", views, 1);
  const mixing = augmentations.find((spec) => createStage(spec).stage === "batch");
  if (mixing)
    throw new UsageError(
      `--augment: '${model}' computes each picture's features once, and ${mixing.kind} mixes the pictures of a batch. To fix: leave it out.`,
    );
  headOf(head, dropout);
  return backbone;
}

/** What a backbone makes of a picture first. */
export const preprocessOf = ({ preset }: Backbone): PreprocessSpec => validatePreprocess(presetOf(preset));
