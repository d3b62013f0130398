import { flowersFinetune } from "./flowers-finetune.ts";

export const flowersFinetuneAllDensenet169 = flowersFinetune("all", { model: "densenet169", weights: "densenet169" }, "DenseNet-169");
