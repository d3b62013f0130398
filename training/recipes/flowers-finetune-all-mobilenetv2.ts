import { flowersFinetune } from "./flowers-finetune.ts";

/** The file is one that the package ships. */
export const flowersFinetuneAllMobilenetv2 = flowersFinetune(
  "all",
  { model: "mobilenetv2-imagenet-headless", preset: "imagenet" },
  "MobileNetV2",
);
