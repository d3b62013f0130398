import type { Augmentation } from "./augmentation.ts";

export interface CutoutSpec {
  readonly kind: "cutout";
  /** The side of the square, in pixels of the network's input. */
  readonly size?: number;
}

/** A square around a random pixel becomes 0 after normalization, the mean colour; what lies outside the picture is lost, so that it may be smaller. */
export const cutout: Augmentation<CutoutSpec> = {
  summary: "a square of the mean colour, cut off at the border",
  source: "DeVries and Taylor, 2017, with their size for CIFAR-10",
  parameters: {
    size: { expected: "a whole number of pixels, 1 or more", valid: (value) => Number.isInteger(value) && value >= 1, default: 16 },
  },
  create: ({ size }) => ({
    stage: "input",
    apply: (pixels, [channels, height, width], random) => {
      const top = random.integer(height) - Math.floor(size / 2);
      const left = random.integer(width) - Math.floor(size / 2);
      const right = Math.min(width, left + size);
      for (let c = 0; c < channels; c++)
        for (let y = Math.max(0, top); y < Math.min(height, top + size); y++) {
          const row = (c * height + y) * width;
          pixels.fill(0, row + Math.max(0, left), row + right);
        }
    },
  }),
};
