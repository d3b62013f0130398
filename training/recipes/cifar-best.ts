import { BEST } from "./best.ts";
import type { Recipe } from "./recipe.ts";

export const cifarBest: Recipe = {
  summary: "the best accuracy in half an hour of two cores: whitened patches, one cycle, smaller images first",
  options: {
    ...BEST,
    augmentations: [{ kind: "alternating-flip" }, { kind: "reflected-crop", padding: 2 }],
    model: "whitened-convnet",
    data: "cifar-10",
    epochs: 12,
    sizes: [{ size: 24, epochs: 5 }],
  },
  expected: [{ metric: "top-1", share: 0.92 }],
  source: "Jordan, 94% on CIFAR-10 in 3.29 seconds on a single GPU (which has twice the operations, and test-time augmentation)",
};
