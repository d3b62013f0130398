import { flowersFinetune } from "./flowers-finetune.ts";

/** The file is one that the package ships. */
export const flowersFinetuneTopMobilenetv2 = flowersFinetune(
  "top",
  { model: "mobilenetv2-imagenet-headless", preset: "imagenet" },
  "MobileNetV2",
);
