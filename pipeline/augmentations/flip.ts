import { flipHorizontal } from "../image.ts";
import type { Augmentation } from "./augmentation.ts";

export interface FlipSpec {
  readonly kind: "flip";
}

export interface AlternatingFlipSpec {
  readonly kind: "alternating-flip";
}

/** Left becomes right, one time in two. */
export const flip: Augmentation<FlipSpec> = {
  summary: "mirrored, one time in two",
  source: "torchvision RandomHorizontalFlip",
  parameters: {},
  create: () => ({ stage: "image", apply: (image, random) => (random.uniform() < 0.5 ? flipHorizontal(image) : image) }),
};

/** Half of the images are mirrored in the even epochs and half in the odd ones, so that two epochs show both sides of each. */
export const alternatingFlip: Augmentation<AlternatingFlipSpec> = {
  summary: "mirrored every other epoch, half of the images in the even ones",
  source: "Jordan, 2024",
  parameters: {},
  create: () => ({ stage: "image", apply: (image, _random, turn) => (turn % 2 ? flipHorizontal(image) : image) }),
};
