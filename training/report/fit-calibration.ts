import { findTemperature, temper, type UntemperedAnswer } from "../../inference/calibration.ts";
import { mean } from "../../inference/probabilities.ts";
import { createTally } from "../../inference/tally.ts";
import type { CalibrationQuality, RunCalibration } from "./calibration-file.node.ts";

/** What was answered: of which epoch's weights, on which images, by which views. */
export type Answered = Pick<RunCalibration, "epoch" | "split" | "views">;

/** The best temperature of answers, and what it changes; or why there is none. */
export function fitCalibration(answers: readonly UntemperedAnswer[], about: Answered): RunCalibration | { readonly none: string } {
  const found = findTemperature(answers);
  if ("none" in found) return found;
  const { temperature } = found;
  return { temperature, ...about, images: answers.length, before: qualityAt(answers, 1), after: qualityAt(answers, temperature) };
}

function qualityAt(answers: readonly UntemperedAnswer[], temperature: number): CalibrationQuality {
  const classes = answers[0].views[0].length;
  const tally = createTally(classes);
  for (const { views, label } of answers)
    tally.add(mean(views.map((logarithms) => temper(Float64Array.from(logarithms, Math.exp), temperature))), label);
  const { loss, calibration } = tally.result(Array.from({ length: classes }, String));
  return { loss, expectedCalibrationError: calibration.expectedCalibrationError };
}
