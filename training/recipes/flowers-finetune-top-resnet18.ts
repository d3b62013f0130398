import { flowersFinetune } from "./flowers-finetune.ts";

export const flowersFinetuneTopResnet18 = flowersFinetune("top", { model: "resnet18", weights: "resnet18" }, "ResNet-18");
