import type { Random } from "../../core/random.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { Image } from "../image.ts";
import type { PreprocessSpec } from "../preprocess.ts";

/** A number that an augmentation takes, or a pair of them: the ends of a range. */
export interface Parameter {
  /** What each number must be, in words and as a test. */
  readonly expected: string;
  readonly valid: (value: number) => boolean;
  /** Where it is left out; a parameter without one must be given. */
  readonly default?: number | readonly [number, number];
}

/** What a batch-level augmentation changes, in place. */
export interface MixableBatch {
  /** [N, C, H, W] */
  readonly images: Tensor<"float32">;
  /** [N, classes] */
  readonly targets: Tensor<"float32">;
  /** [N] */
  readonly labels: Uint16Array;
}

/**
 * What an augmentation does, and when: `fit` in place of the preprocessing's resize and center crop, `image` to the picture of the network's size,
 * `input` to its normalized numbers, `batch` to a complete batch.
 */
export type Stage =
  | { readonly stage: "fit"; readonly apply: (image: Image, preprocess: PreprocessSpec, random: Random) => Image }
  | {
      readonly stage: "image";
      /** @param turn the epoch's number, or one more for half of the images, always the same: what alternates does so by its parity */
      readonly apply: (image: Image, random: Random, turn: number) => Image;
    }
  | {
      readonly stage: "input";
      /** @param pixels [C, H, W] */
      readonly apply: (pixels: Float32Array, shape: readonly [C: number, H: number, W: number], random: Random) => void;
    }
  | { readonly stage: "batch"; readonly apply: (batch: MixableBatch, random: Random) => void };

/** One kind of augmentation. `Spec` is its plain JSON: its kind, and its parameters by name. */
export interface Augmentation<Spec extends { readonly kind: string }> {
  /** What it does to a picture. */
  readonly summary: string;
  /** Whose semantics and defaults these are. */
  readonly source: string;
  /** In the order in which a text has them. */
  readonly parameters: { readonly [P in Exclude<keyof Spec, "kind">]-?: Parameter };
  /** It takes parts of a picture at their own size, before any resize. */
  readonly fromWhole?: true;
  create(spec: Required<Spec>): Stage;
}

export const PROBABILITY: Parameter = { expected: "a number from 0 to 1", valid: (value) => value >= 0 && value <= 1, default: 1 };
export const ABOVE_ZERO = { expected: "a number above 0", valid: (value: number) => value > 0 };
