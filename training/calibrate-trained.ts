import { logarithms, type UntemperedAnswer } from "../inference/calibration.ts";
import { softmax } from "../inference/probabilities.ts";
import type { BatchPlan } from "../pipeline/batches.ts";
import type { Loader } from "../pipeline/loader.ts";
import type { TrainingEngine } from "./engine.ts";

/** What the engine's weights answer for each image, by one view, at temperature 1. */
export async function answersOf(engine: TrainingEngine, loader: Loader, plan: BatchPlan): Promise<UntemperedAnswer[]> {
  const answers: UntemperedAnswer[] = [];
  for await (const { images, labels } of loader.batches(plan)) {
    const { data, shape } = await engine.predict(images);
    const classes = shape[1];
    labels.forEach((label, i) => {
      answers.push({ views: [logarithms(softmax(data.subarray(i * classes, (i + 1) * classes)))], label });
    });
  }
  return answers;
}
