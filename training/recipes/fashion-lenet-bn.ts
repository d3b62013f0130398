import type { Recipe } from "./recipe.ts";

export const fashionLenetBn: Recipe = {
  summary: "LeNet-5 with batch norm and sigmoids; SGD at a rate of 1, Xavier's initialization",
  options: {
    model: "lenet-bn",
    data: "fashion-mnist",
    preprocess: { mean: [0], std: [1] },
    validation: 10_000,
    epochs: 10,
    batchSize: 256,
    optimizer: "sgd",
    learningRate: 1,
  },
  expected: [{ metric: "top-1", share: [0.8, 0.83] }],
  source: "Zhang et al., Dive into Deep Learning, 8.5 (curves); the accuracy in PyTorch, over three seeds",
};
