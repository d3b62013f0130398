import { UsageError } from "../core/errors.ts";
import type { TrainingState, Weights } from "./engine.ts";
import type { Arithmetic } from "./optimizers.ts";

/** An exponential moving average of the weights and of the running statistics, kept beside them; as timm's ModelEmaV3 averages both. */
export interface WeightAverage {
  /** The share of the average that a step keeps, in [0, 1). */
  readonly decay: number;
  /** The decay rises to its value: at most 1 − (1 + t)^(−2/3) after t + 1 steps. */
  readonly warmup?: boolean;
}

/** What a step is fed for it: the decay d and 1 − d, both from float64. */
export const AVERAGE_FACTORS = ["average-kept", "average-taken"] as const;

/** d and 1 − d at a step, counted from 1: the first step's average is the weights themselves. @see timm, utils/model_ema.py */
export function averageFactorsAt({ decay, warmup = false }: WeightAverage, step: number): readonly [kept: number, taken: number] {
  const t = step - 1;
  const kept = t <= 0 ? 0 : warmup ? Math.min(decay, 1 - (1 + t) ** (-2 / 3)) : decay;
  return [kept, 1 - kept];
}

/** a ← d · a + (1 − d) · w */
export const moveAverage = <T>(
  math: Arithmetic<T>,
  at: { readonly average: T; readonly value: T; readonly kept: T; readonly taken: T },
): T => math.add(math.mul(at.average, at.kept), math.mul(at.value, at.taken));

/** The name of a weight's average: `conv1.weight/average`. */
export const averageName = (weight: string): string => `${weight}/average`;

/** The weights that validation and an exported file use: the average where one is kept, with running statistics. */
export const inferenceWeights = ({ parameters, state, average }: TrainingState): Weights => average ?? { ...parameters, ...state };

/** @throws UsageError where the decay is out of range. */
export function checkAverage({ decay }: WeightAverage): void {
  if (!(decay >= 0 && decay < 1))
    throw new UsageError(`decay of the weights' average: expected a number from 0 to below 1, received ${decay}.`);
}
