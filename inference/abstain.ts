import { UsageError } from "../core/errors.ts";
import type { Prediction } from "./classifier.ts";

/**
 * Whether the best of a picture's predictions is too improbable to be an answer: "not sure".
 * @param below of (0, 1]; a probability below it abstains.
 * @throws UsageError where it is no such number.
 */
export function abstains(predictions: readonly Prediction[], below: number): boolean {
  checkAbstainBelow(below);
  return predictions[0].probability < below;
}

/** @throws UsageError where it is not above 0 and at most 1. */
export function checkAbstainBelow(below: number | undefined): void {
  if (below !== undefined && !(below > 0 && below <= 1))
    throw new UsageError(`abstainBelow: expected a probability above 0 and at most 1, received ${below}`);
}
