import { flowersFinetune } from "./flowers-finetune.ts";

export const flowersFinetuneAllResnet18 = flowersFinetune("all", { model: "resnet18", weights: "resnet18" }, "ResNet-18");
