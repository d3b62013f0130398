import { CIFAR_CONVNET } from "./cifar.ts";
import type { Recipe } from "./recipe.ts";

export const cifarConvnetNoBn: Recipe = {
  summary: "seven unpadded convolutions with a single batch norm; SGD at a constant rate",
  options: { ...CIFAR_CONVNET, model: "cifar-convnet-no-bn" },
  expected: [{ metric: "top-1", share: 0.7408 }],
  source: "the experiment's published run, in PyTorch",
};
