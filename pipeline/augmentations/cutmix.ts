import type { Random } from "../../core/random.ts";
import type { Rectangle } from "../geometry.ts";
import { ABOVE_ZERO, type Augmentation, type MixableBatch, PROBABILITY } from "./augmentation.ts";
import { beta } from "./draw.ts";
import { mixTargets, pairs } from "./mix.ts";

export interface CutmixSpec {
  readonly kind: "cutmix";
  /** λ comes from Beta(alpha, alpha); the rectangle's area is 1 − λ before it is cut off at the border. */
  readonly alpha?: number;
  /** Of a batch to be mixed at all. */
  readonly probability?: number;
}

/** A rectangle of the picture's shape and the share 1 − λ of its area around a random pixel, cut off at the border. */
export function drawBox(width: number, height: number, lambda: number, random: Random): Rectangle {
  const [x, y] = [random.integer(width), random.integer(height)];
  const half = 0.5 * Math.sqrt(1 - lambda);
  const [w, h] = [Math.trunc(half * width), Math.trunc(half * height)];
  const [left, top] = [Math.max(0, x - w), Math.max(0, y - h)];
  return { x: left, y: top, width: Math.min(width, x + w) - left, height: Math.min(height, y + h) - top };
}

/** Images a and b exchange what they have in the box. */
function exchange({ data, shape: [, channels, height, width] }: MixableBatch["images"], a: number, b: number, box: Rectangle): void {
  for (let c = 0; c < channels; c++)
    for (let y = box.y; y < box.y + box.height; y++) {
      const i = ((a * channels + c) * height + y) * width + box.x;
      const j = ((b * channels + c) * height + y) * width + box.x;
      const row = data.slice(i, i + box.width);
      data.copyWithin(i, j, j + box.width);
      data.set(row, j);
    }
}

/** A rectangle of one image of the batch pasted into another; targets by the share of the area; one λ and one rectangle for the batch. */
export const cutmix: Augmentation<CutmixSpec> = {
  summary: "a rectangle of another image of the batch, 1 − λ of the area",
  source: "Yun et al., 2019; defaults of torchvision CutMix",
  parameters: { alpha: { ...ABOVE_ZERO, default: 1 }, probability: PROBABILITY },
  create: ({ alpha, probability }) => ({
    stage: "batch",
    apply: (batch, random) => {
      if (random.uniform() >= probability) return;
      const [n, , height, width] = batch.images.shape;
      const box = drawBox(width, height, beta(random, alpha, alpha), random);
      const lambda = 1 - (box.width * box.height) / (width * height);
      for (const [a, b] of pairs(n, random)) {
        exchange(batch.images, a, b, box);
        mixTargets(batch, a, b, lambda);
      }
    },
  }),
};
