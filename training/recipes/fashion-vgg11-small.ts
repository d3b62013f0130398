import { fashionCurves } from "./fashion-curves.ts";

export const fashionVgg11Small = fashionCurves({
  model: "vgg11-small",
  summary: "VGG-11 with a quarter of its filters",
  size: 224,
  learningRate: 0.05,
  batchSize: 128,
  section: "8.2",
});
