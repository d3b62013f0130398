import type { Random } from "../../core/random.ts";
import { placeCrop } from "../geometry.ts";
import { fitImage } from "../preprocess.ts";
import type { Augmentation, Parameter } from "./augmentation.ts";

export interface RandomCropSpec {
  readonly kind: "random-crop";
  /** Black pixels on every side of the resized picture. */
  readonly padding: number;
}

export const PADDING: Parameter = {
  expected: "a whole number of pixels, 0 or more",
  valid: (value) => Number.isInteger(value) && value >= 0,
};

/** A start anywhere on a side with its padding; in the middle where even so the crop is larger. */
export function startOfCrop(side: number, crop: number, padding: number, middle: number, random: Random): number {
  const room = side + 2 * padding - crop;
  return room < 0 ? middle : random.integer(room + 1) - padding;
}

/** The crop at a random place, not in the center: of a picture that has the network's size already, a move by up to `padding` pixels. */
export const randomCrop: Augmentation<RandomCropSpec> = {
  summary: "the crop anywhere in the picture and PADDING black pixels around it",
  source: "torchvision RandomCrop",
  parameters: { padding: PADDING },
  create: ({ padding }) => ({
    stage: "fit",
    apply: (image, preprocess, random) =>
      fitImage(image, preprocess, (size) => {
        const [height, width] = preprocess.crop;
        const middle = placeCrop(size, preprocess.crop, "center");
        const x = startOfCrop(size.width, width, padding, middle.x, random);
        const y = startOfCrop(size.height, height, padding, middle.y, random);
        return { x, y, width, height };
      }),
  }),
};
