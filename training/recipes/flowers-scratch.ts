import { PRESETS } from "../../pipeline/presets.ts";
import type { Recipe } from "./recipe.ts";

const { mean, std } = PRESETS.imagenet;

/** A network on 102 flowers from its initialization, validated every 40 batches. */
export const flowersScratch = (model: string, summary: string): Recipe => ({
  summary: `${summary} on flowers, from scratch; Adam, validated every 40 batches`,
  options: {
    model,
    data: "flowers-102",
    preprocess: { crop: [224, 224], mean, std },
    augmentations: [{ kind: "random-resized-crop", scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }, { kind: "flip" }],
    epochs: 10,
    batchSize: 32,
    optimizer: "adam",
    learningRate: 0.001,
    logEvery: 40,
  },
  expected: [],
  source:
    "the experiment's published curves, in PyTorch; it names Adam and batches of 32: the rate, the epochs, the size and the augmentation are chosen here",
});
