import { fashionCurves } from "./fashion-curves.ts";

export const fashionResnet18 = fashionCurves({
  model: "resnet18-gray",
  summary: "ResNet-18",
  size: 96,
  learningRate: 0.05,
  batchSize: 256,
  section: "8.6",
});
