import type { Recipe } from "./recipe.ts";

export const fashionCnn: Recipe = {
  summary: "three convolutions with batch norm; Adam, the rate × 0.999 every step",
  options: {
    model: "fashion-cnn",
    data: "fashion-mnist",
    preprocess: { mean: [0.5], std: [0.5] },
    validation: 12_000,
    epochs: 5,
    batchSize: 60,
    optimizer: "adam",
    learningRate: 0.01,
    schedule: "exponential:0.999/step",
  },
  expected: [
    { metric: "training accuracy", share: 0.9565 },
    { metric: "top-1", share: 0.9183 },
  ],
  source: "the experiment's published run, in PyTorch",
};
