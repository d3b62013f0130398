import type { Recipe } from "./recipe.ts";

/** What all runs of the network of seven convolutions on CIFAR-10 share. How many images are kept for validation is chosen here. */
export const CIFAR_CONVNET: Recipe["options"] = {
  model: "cifar-convnet",
  data: "cifar-10",
  preprocess: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
  augmentations: [{ kind: "flip" }],
  validation: 5000,
  epochs: 10,
  batchSize: 100,
  optimizer: "sgd",
  learningRate: 0.1,
  weightDecay: 1e-4,
};
