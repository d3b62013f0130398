import { flowersFinetune } from "./flowers-finetune.ts";

export const flowersFinetuneTopDensenet169 = flowersFinetune("top", { model: "densenet169", weights: "densenet169" }, "DenseNet-169", [
  { metric: "top-1", share: 0.923 },
]);
