import { fashionCurves } from "./fashion-curves.ts";

export const fashionAlexnet = fashionCurves({
  model: "alexnet",
  summary: "AlexNet",
  size: 224,
  learningRate: 0.01,
  batchSize: 128,
  section: "8.1",
});
