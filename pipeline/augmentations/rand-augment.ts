import type { Image } from "../image.ts";
import { rotate, shearX, shearY, translate } from "./affine.ts";
import type { Augmentation } from "./augmentation.ts";
import { brightness, contrast, saturation } from "./color.ts";
import { sharpness } from "./sharpness.ts";
import { autocontrast, equalize, posterize, solarize } from "./tone.ts";

export interface RandAugmentSpec {
  readonly kind: "rand-augment";
  /** N: how many, one after the other. */
  readonly operations?: number;
  /** M: how strong, 0 … 30. */
  readonly magnitude?: number;
}

export const LARGEST_MAGNITUDE = 30;

const { fround } = Math;

/** Number m of 31 from start to end in equal steps, in float32 and counted from the nearer end. @see torch.linspace */
function magnitude(start: number, end: number, m: number): number {
  const step = fround((fround(end) - start) / LARGEST_MAGNITUDE);
  return m <= LARGEST_MAGNITUDE / 2 ? fround(start + step * m) : fround(fround(end) - step * (LARGEST_MAGNITUDE - m));
}

interface Operation {
  /** How strong M is here. */
  readonly strength: (m: number, image: Image) => number;
  /** One time in two the other way. */
  readonly signed: boolean;
  readonly apply: (image: Image, strength: number) => Image;
}

const none = () => 0;
const upTo = (most: number) => (m: number) => magnitude(0, most, m);
const FARTHEST = 150 / 331;

/** What RandAugment chooses from. The nearest pixel and black, where one moves. */
export const OPERATIONS = {
  Identity: { strength: none, signed: false, apply: (image) => image },
  ShearX: { strength: upTo(0.3), signed: true, apply: shearX },
  ShearY: { strength: upTo(0.3), signed: true, apply: shearY },
  TranslateX: {
    strength: (m, { width }) => magnitude(0, FARTHEST * width, m),
    signed: true,
    apply: (image, pixels) => translate(image, Math.trunc(pixels), 0),
  },
  TranslateY: {
    strength: (m, { height }) => magnitude(0, FARTHEST * height, m),
    signed: true,
    apply: (image, pixels) => translate(image, 0, Math.trunc(pixels)),
  },
  Rotate: { strength: upTo(30), signed: true, apply: rotate },
  Brightness: { strength: upTo(0.9), signed: true, apply: (image, by) => brightness(image, 1 + by) },
  Color: { strength: upTo(0.9), signed: true, apply: (image, by) => saturation(image, 1 + by) },
  Contrast: { strength: upTo(0.9), signed: true, apply: (image, by) => contrast(image, 1 + by) },
  Sharpness: { strength: upTo(0.9), signed: true, apply: (image, by) => sharpness(image, 1 + by) },
  Posterize: { strength: (m) => 8 - Math.round(m / (LARGEST_MAGNITUDE / 4)), signed: false, apply: posterize },
  Solarize: { strength: (m) => magnitude(255, 0, m), signed: false, apply: solarize },
  AutoContrast: { strength: none, signed: false, apply: autocontrast },
  Equalize: { strength: none, signed: false, apply: equalize },
} as const satisfies Readonly<Record<string, Operation>>;

/** The same as a list. */
export const CHOICES: readonly Operation[] = Object.values(OPERATIONS);

/** N of 14 operations, drawn with replacement, each at the magnitude M. */
export const randAugment: Augmentation<RandAugmentSpec> = {
  summary: "OPERATIONS times one of 14, each as strong as MAGNITUDE of 30",
  source: "torchvision RandAugment; Cubuk et al., 2019",
  parameters: {
    operations: { expected: "a whole number of at least 1", valid: (value) => Number.isInteger(value) && value >= 1, default: 2 },
    magnitude: {
      expected: `a whole number from 0 to ${LARGEST_MAGNITUDE}`,
      valid: (value) => Number.isInteger(value) && value >= 0 && value <= LARGEST_MAGNITUDE,
      default: 9,
    },
  },
  create: ({ operations, magnitude: m }) => ({
    stage: "image",
    apply: (image, random) => {
      let changed = image;
      for (let k = 0; k < operations; k++) {
        const { strength, signed, apply } = CHOICES[random.integer(CHOICES.length)];
        const amount = strength(m, changed);
        changed = apply(changed, signed && random.integer(2) ? -amount : amount);
      }
      return changed;
    },
  }),
};
