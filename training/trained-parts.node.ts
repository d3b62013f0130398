import { createSession } from "../core/session.node.ts";
import type { Tensor } from "../core/tensor.ts";
import { parse } from "../export/parse.ts";
import type { Backbone } from "../models/backbones.ts";
import type { Head } from "../models/layers/head.ts";
import type { Network } from "../models/network.ts";
import { classifierNetwork, networkOnBackbone } from "../models/on-backbone.ts";
import { readBackbone } from "../models/pretrained.node.ts";
import { createLoader } from "../pipeline/batches.node.ts";
import type { Split } from "../pipeline/dataset.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { computeFeatures, type FeatureProgress } from "./features/compute.node.ts";
import { FEATURE_DEFAULTS, featureBatchSize, preprocessOf } from "./features/feature-config.ts";
import { featureLoader } from "./features/feature-loader.ts";
import type { FitData } from "./fit.ts";
import type { RunConfig } from "./run-config.ts";

/** A part of a network that is not trained: its features are computed once. */
export interface Frozen {
  readonly backbone: Uint8Array;
  /** The width of its features. */
  readonly features: number;
  /** What is trained: features → logits. Its weights have the names that they have in the whole network. */
  readonly classifier: Network;
}

/** What a run exports, and, where only a part of it is trained, that part. */
export interface RunModel {
  readonly network: Network;
  readonly preprocess: PreprocessSpec;
  readonly frozen?: Frozen;
}

/** The model of a run on features. @throws FivecropError where its backbone cannot be read. */
export async function modelOnFeatures(config: RunConfig, backbone: Backbone, classes: number): Promise<RunModel> {
  const { model, head: hidden = [], dropout } = config;
  const bytes = await readBackbone(backbone);
  const head: Head = { hidden, ...(dropout !== undefined && { dropout }) };
  return {
    network: networkOnBackbone(model, parse(bytes, backbone.file), classes, head),
    preprocess: preprocessOf(backbone),
    frozen: { backbone: bytes, features: backbone.features, classifier: classifierNetwork(model, backbone, classes, head) },
  };
}

/** The network that the training engine holds. */
export const trainedNetwork = ({ network, frozen }: Pick<RunModel, "network" | "frozen">): Network => frozen?.classifier ?? network;

/** What the training engine takes for these images. */
export async function trainedInput({ frozen }: Pick<RunModel, "frozen">, images: Tensor<"float32">): Promise<Tensor<"float32">> {
  if (!frozen) return images;
  const session = await createSession(frozen.backbone, { name: "the backbone" });
  try {
    const { [session.outputs[0].name]: found } = await session.run({ [session.inputs[0].name]: images });
    return { ...(found as Tensor<"float32">), shape: [images.shape[0], frozen.features, 1, 1] };
  } finally {
    await session.dispose();
  }
}

/** What an epoch goes through: the images, or so many views of each. */
export const trainedLength = (
  { frozen, training }: Pick<RunModel, "frozen"> & Split,
  { views = FEATURE_DEFAULTS.views }: RunConfig,
): number => (frozen ? views * training.length : training.length);

/** What `fit` reads, and the options that depend on it. */
export interface TrainedData {
  readonly data: Required<FitData>;
  readonly batchSize: number;
  readonly augmentations: RunConfig["augmentations"];
}

/**
 * The loaders of a run. On features, those are computed first: several augmented views of each training image, one plain view of each for validation.
 * @returns undefined where `signal` stopped it.
 */
export async function* trainedData(
  parts: RunModel & Split,
  config: RunConfig,
  signal?: AbortSignal,
): AsyncGenerator<FeatureProgress, TrainedData | undefined, undefined> {
  const { frozen, training, validation, preprocess } = parts;
  const { seed, augmentations, batchSize, views = FEATURE_DEFAULTS.views, threads } = config;
  if (!frozen) return { data: { training: createLoader(training), validation: createLoader(validation) }, batchSize, augmentations };
  const options = { backbone: frozen.backbone, width: frozen.features, threads, signal };
  const seen = yield* computeFeatures({ dataset: training, split: "training", views, plan: { seed, preprocess, augmentations } }, options);
  const plain =
    seen &&
    (yield* computeFeatures(
      { dataset: validation, split: "validation", views: 1, plan: { seed: 0, preprocess, augmentations: [] } },
      options,
    ));
  if (!seen || !plain) return undefined;
  const data = { training: featureLoader(training, seen, frozen.features), validation: featureLoader(validation, plain, frozen.features) };
  return { data, batchSize: featureBatchSize(data.training.length, batchSize), augmentations: [] };
}
