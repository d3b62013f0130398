import type { Random } from "../../core/random.ts";
import type { Image } from "../image.ts";
import { fitImage, normalizeInto, type PreprocessSpec } from "../preprocess.ts";
import type { MixableBatch, Stage } from "./augmentation.ts";
import type { AugmentationSpec } from "./index.ts";
import { createStage } from "./spec.ts";

/** A list of augmentations, ready for one preprocessing. */
export interface Augmenter {
  /**
   * A data set's image into out[offset, offset + C · H · W): cut out and resized, changed, normalized, and changed again.
   * @param turn the epoch's number, or one more for half of the images, always the same
   */
  input(image: Image, random: Random, out: Float32Array, offset: number, turn: number): void;
  /** A batch of inputs and its targets, in place. */
  mix(batch: MixableBatch, random: Random): void;
}

type StageOf<S extends Stage["stage"]> = Extract<Stage, { readonly stage: S }>;

/**
 * In four stages: what cuts the picture out takes the place of the preprocessing's resize and center crop; then what changes pictures does so at the
 * network's size, one after the other; after normalization, what changes numbers; and when the batch is complete, one, drawn at random, of those that mix.
 * @throws UsageError
 */
export function createAugmenter(specs: readonly AugmentationSpec[], preprocess: PreprocessSpec): Augmenter {
  const stages = specs.map(createStage);
  const those = <S extends Stage["stage"]>(wanted: S) => stages.filter((one): one is StageOf<S> => one.stage === wanted);
  const [fit] = those("fit");
  const [changes, erasures, mixtures] = [those("image"), those("input"), those("batch")];
  const shape = [preprocess.channels, ...preprocess.crop] as const;
  const size = shape[0] * shape[1] * shape[2];
  return {
    input(image, random, out, offset, turn) {
      let changed = fit ? fit.apply(image, preprocess, random) : fitImage(image, preprocess);
      for (const { apply } of changes) changed = apply(changed, random, turn);
      normalizeInto(changed, preprocess, out, offset);
      for (const { apply } of erasures) apply(out.subarray(offset, offset + size), shape, random);
    },
    mix(batch, random) {
      if (mixtures.length) mixtures[random.integer(mixtures.length)].apply(batch, random);
    },
  };
}
