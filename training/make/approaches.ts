import { UsageError } from "../../core/errors.ts";
import { parse } from "../../export/parse.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { BACKBONES, type Backbone, STANDARD_BACKBONE } from "../../models/backbones.ts";
import type { Network } from "../../models/network.ts";
import { classifierNetwork, networkOnBackbone } from "../../models/on-backbone.ts";
import type { AugmentationSpec } from "../../pipeline/augmentations/index.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { FEATURE_DEFAULTS, featureBatchSize, preprocessOf } from "../features/feature-config.ts";

/** What is learned: a classifier on the features of a trained network, or a small network from nothing. */
export const APPROACHES = ["features", "network"] as const;
export type Approach = (typeof APPROACHES)[number];

/** Where the features come from. */
export interface Source {
  readonly backbone: Backbone;
  readonly bytes: Uint8Array;
}

/** Everything that a training depends on besides pictures and seed. */
export interface Plan {
  /** What is exported. */
  readonly network: Network;
  /** What is trained: the network, or what reads the features. */
  readonly trained: Network;
  readonly preprocess: PreprocessSpec;
  readonly source?: Source;
  /** Views of each training picture whose features are computed. */
  readonly views: number;
  readonly augmentations: readonly AugmentationSpec[];
  readonly labelSmoothing: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule: string;
}

/** So many features are computed in all, where that gives every picture one to MOST_VIEWS views. */
const VIEWS = 160;
const MOST_VIEWS = 8;
const BATCH = 16;
const SMALL = "fashion-cnn";
const CENTERED = [0.5, 0.5, 0.5];
/** For the small network: a crop of 32 pixels that may lie anywhere in 36. */
const SMALL_PREPROCESS: PreprocessSpec = { resize: 36, filter: "bilinear", crop: [32, 32], channels: 3, mean: CENTERED, std: CENTERED };

/** @param mirror whether a mirrored picture shows the same */
export function planFor(
  approach: Approach,
  {
    classes,
    pictures,
    mirror,
    backbone,
  }: { readonly classes: number; readonly pictures: number; readonly mirror: boolean; readonly backbone: Uint8Array | undefined },
): Plan {
  const augmentations: readonly AugmentationSpec[] = [{ kind: "random-crop", padding: 0 }, ...(mirror ? [{ kind: "flip" } as const] : [])];
  if (approach === "network") {
    const network = createNetwork(SMALL, { classes, input: [3, ...SMALL_PREPROCESS.crop] as [number, number, number] });
    const batchSize = Math.min(BATCH, pictures);
    return {
      network,
      trained: network,
      preprocess: SMALL_PREPROCESS,
      views: 1,
      augmentations,
      labelSmoothing: 0.1,
      batchSize,
      learningRate: 0.003,
      schedule: "cosine:0/step",
    };
  }
  if (!backbone) throw new UsageError("approach 'features': expected the bytes of the backbone's file, received none.");
  const row = BACKBONES[STANDARD_BACKBONE];
  const views = Math.min(MOST_VIEWS, Math.max(1, Math.floor(VIEWS / pictures)));
  const { labelSmoothing, learningRate, schedule } = FEATURE_DEFAULTS;
  return {
    network: networkOnBackbone(STANDARD_BACKBONE, parse(backbone, row.file), classes, { hidden: [] }),
    trained: classifierNetwork(STANDARD_BACKBONE, row, classes, { hidden: [] }),
    preprocess: preprocessOf(row),
    source: { backbone: row, bytes: backbone },
    views,
    augmentations,
    labelSmoothing,
    learningRate,
    schedule,
    batchSize: featureBatchSize(views * pictures, FEATURE_DEFAULTS.batchSize),
  };
}
