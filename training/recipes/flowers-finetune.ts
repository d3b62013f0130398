import type { Recipe } from "./recipe.ts";

/** A network that has ImageNet's weights, on 102 flowers: `top` trains a new head alone, `all` everything, the backbone slowly. Validated every 40 batches. */
export const flowersFinetune = (
  regime: "top" | "all",
  options: Pick<Recipe["options"], "model" | "weights" | "preset">,
  summary: string,
  expected: Recipe["expected"] = [],
): Recipe => ({
  summary: `${summary} on flowers, ${regime === "top" ? "a new head on" : "all of"} ImageNet's weights; Adam, validated every 40 batches`,
  options: {
    ...options,
    data: "flowers-102",
    augmentations: [{ kind: "random-resized-crop", scale: [0.08, 1], ratio: [3 / 4, 4 / 3] }, { kind: "flip" }],
    head: [512, 256],
    dropout: 0.2,
    freeze: regime === "top" ? "backbone" : "none",
    ...(regime === "all" && { learningRateBackbone: 1e-4 }),
    epochs: 5,
    batchSize: 32,
    optimizer: "adam",
    learningRate: 0.001,
    logEvery: 40,
  },
  expected,
  source: `the experiment's published runs, in PyTorch, on the whole data set: five epochs, Adam, batches of 32; the head${regime === "all" ? ", the backbone's rate" : ""} and the augmentation are chosen here`,
});
