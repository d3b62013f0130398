import type { Named } from "../core/session.ts";
import type { Tensor } from "../core/tensor.ts";
import type { Network } from "../models/network.ts";
import type { Optimizer } from "./optimizers.ts";
import type { WeightAverage } from "./weight-average.ts";

export type Weights = Named<Tensor<"float32">>;

/** Everything that the next step depends on, by name and in the network's own shapes, so that any engine can go on from it. */
export interface TrainingState {
  /** Steps done. */
  readonly step: number;
  readonly seed: number;
  readonly parameters: Weights;
  /** The optimizer's running tensors, `conv1.weight/velocity`. */
  readonly slots: Weights;
  /** Running statistics. */
  readonly state: Weights;
  /** The moving average of the parameters and of the running statistics, by their names; absent where none is kept. */
  readonly average?: Weights;
}

/** What a state is made of, beside its numbers. */
export const ROLES = ["parameters", "slots", "state", "average"] as const satisfies readonly (keyof TrainingState)[];
export type Role = (typeof ROLES)[number];

/** What a step is fed. */
export interface StepInput {
  /** [N, C, H, W] */
  readonly images: Tensor<"float32">;
  /** [N, classes], a row of probabilities each: one-hot, smoothed or mixed labels are the same thing. */
  readonly targets: Tensor<"float32">;
}

export interface StepResult {
  /** The batch's mean loss, before its update. */
  readonly loss: number;
  /** [N, classes], before the update. */
  readonly logits: Tensor<"float32">;
}

/** Where steps are computed. The loop, the data and the files do not know which engine it is. */
export interface TrainingEngine {
  readonly name: string;
  readonly network: Network;
  readonly optimizer: Optimizer;
  /** The moving average of the weights that it keeps. */
  readonly average?: WeightAverage;
  /** Starts from a state, or from the first values of a seed. @throws FivecropError where the state is another network's or another optimizer's. */
  initialize(state: TrainingState | { readonly seed: number }): Promise<void>;
  /**
   * Makes ready, without computing, for batches of images of these shapes [N, C, H, W].
   * @throws FivecropError where a step of one of them cannot be: an operator without a gradient, a batch norm over a single value.
   */
  prepare(shapes: readonly (readonly number[])[]): void;
  /** Forward, backward and update, once for each batch, at the learning rate of the same place. */
  train(batches: readonly StepInput[], learningRates: readonly number[]): Promise<readonly StepResult[]>;
  /** Logits [N, classes] of images [N, C, H, W] in inference mode, N of any size; by the average of the weights where one is kept. */
  predict(images: Tensor<"float32">): Promise<Tensor<"float32">>;
  /** A copy of the state. */
  state(): Promise<TrainingState>;
  dispose(): Promise<void>;
}
