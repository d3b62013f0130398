import type { Random } from "../../core/random.ts";
import { type Rectangle, roundHalfToEven, type Size } from "../geometry.ts";
import { crop, withChannels } from "../image.ts";
import { resize } from "../resize.ts";
import { ABOVE_ZERO, type Augmentation } from "./augmentation.ts";
import { between } from "./draw.ts";

export interface RandomResizedCropSpec {
  readonly kind: "random-resized-crop";
  /** The crop's share of the picture's area, from … to. */
  readonly scale?: readonly [number, number];
  /** The crop's width / height before it is resized, from … to. */
  readonly ratio?: readonly [number, number];
}

const ATTEMPTS = 10;

/** Where a random resized crop looks: ten attempts, then as much of the center as the ratios allow. */
export function drawRectangle(
  { width, height }: Size,
  { scale, ratio }: Required<Omit<RandomResizedCropSpec, "kind">>,
  random: Random,
): Rectangle {
  const [flattest, steepest] = ratio.map(Math.log);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const area = width * height * between(random, scale[0], scale[1]);
    const aspect = Math.exp(between(random, flattest, steepest));
    const w = roundHalfToEven(Math.sqrt(area * aspect));
    const h = roundHalfToEven(Math.sqrt(area / aspect));
    if (w > 0 && w <= width && h > 0 && h <= height)
      return { x: random.integer(width - w + 1), y: random.integer(height - h + 1), width: w, height: h };
  }
  return largestCenter({ width, height }, ratio);
}

/** The largest rectangle in the middle whose width / height is within the ratio. */
export function largestCenter({ width, height }: Size, [lowest, highest]: readonly [number, number]): Rectangle {
  const inside = {
    width: width / height > highest ? Math.max(1, roundHalfToEven(height * highest)) : width,
    height: width / height < lowest ? Math.max(1, roundHalfToEven(width / lowest)) : height,
  };
  return { x: Math.floor((width - inside.width) / 2), y: Math.floor((height - inside.height) / 2), ...inside };
}

/** A rectangle of random area and shape, cut out and then resized to the network's size with the preprocessing's filter. */
export const randomResizedCrop: Augmentation<RandomResizedCropSpec> = {
  summary: "a part of random area and shape, resized to the crop",
  source: "torchvision RandomResizedCrop; Szegedy et al., 2015",
  parameters: {
    scale: { expected: "a share above 0 and at most 1", valid: (value) => value > 0 && value <= 1, default: [0.08, 1] },
    ratio: { ...ABOVE_ZERO, default: [3 / 4, 4 / 3] },
  },
  fromWhole: true,
  create: (spec) => ({
    stage: "fit",
    apply: (image, preprocess, random) => {
      const part = withChannels(crop(image, drawRectangle(image, spec, random)), preprocess.channels);
      return resize(part, { width: preprocess.crop[1], height: preprocess.crop[0] }, preprocess.filter);
    },
  }),
};
