import { BEST } from "./best.ts";
import type { Recipe } from "./recipe.ts";

export const fashionBest: Recipe = {
  summary: "the best accuracy in half an hour of two cores: whitened patches, one cycle",
  options: { ...BEST, model: "whitened-convnet-gray", data: "fashion-mnist", epochs: 14, labelSmoothing: 0.1 },
  expected: [{ metric: "top-1", share: 0.935 }],
  source: "the network and options of cifar-best, narrower",
};
