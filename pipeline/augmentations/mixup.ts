import { ABOVE_ZERO, type Augmentation, PROBABILITY } from "./augmentation.ts";
import { beta } from "./draw.ts";
import { mixRows, mixTargets, pairs } from "./mix.ts";

export interface MixupSpec {
  readonly kind: "mixup";
  /** λ comes from Beta(alpha, alpha). */
  readonly alpha?: number;
  /** Of a batch to be mixed at all. */
  readonly probability?: number;
}

/** Two images of the batch laid over each other, λ and 1 − λ of them, and their targets alike; one λ for the batch. */
export const mixup: Augmentation<MixupSpec> = {
  summary: "two images of the batch laid over each other, λ from Beta(ALPHA)",
  source: "Zhang et al., 2017; defaults of torchvision MixUp",
  parameters: { alpha: { ...ABOVE_ZERO, default: 1 }, probability: PROBABILITY },
  create: ({ alpha, probability }) => ({
    stage: "batch",
    apply: (batch, random) => {
      if (random.uniform() >= probability) return;
      const lambda = beta(random, alpha, alpha);
      const { data, shape } = batch.images;
      for (const [a, b] of pairs(shape[0], random)) {
        mixRows(data, data.length / shape[0], a, b, lambda);
        mixTargets(batch, a, b, lambda);
      }
    },
  }),
};
