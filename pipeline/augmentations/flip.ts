import { flipHorizontal } from "../image.ts";
import type { Augmentation } from "./augmentation.ts";

export interface FlipSpec {
  readonly kind: "flip";
}

/** Left becomes right, one time in two. */
export const flip: Augmentation<FlipSpec> = {
  summary: "mirrored, one time in two",
  source: "torchvision RandomHorizontalFlip",
  parameters: {},
  create: () => ({ stage: "image", apply: (image, random) => (random.uniform() < 0.5 ? flipHorizontal(image) : image) }),
};
