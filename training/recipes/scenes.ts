import { PRESETS } from "../../pipeline/presets.ts";
import type { Recipe } from "./recipe.ts";

const { mean, std } = PRESETS.imagenet;

/** A network on MiniPlaces at 64×64, as all three were trained; the epoch with the best validation accuracy counts. */
export const scenes = (model: string, summary: string, [top1, top5]: readonly [top1: number, top5: number]): Recipe => ({
  summary: `${summary}; SGD with momentum`,
  options: {
    model,
    data: "miniplaces",
    preprocess: { crop: [64, 64], mean, std },
    epochs: 20,
    batchSize: 128,
    optimizer: "sgd",
    learningRate: 0.01,
    momentum: 0.9,
  },
  expected: [
    { metric: "top-1", share: top1 },
    { metric: "top-5", share: top5 },
  ],
  source: "the experiment's published run, in PyTorch",
});
