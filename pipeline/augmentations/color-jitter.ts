import type { Random } from "../../core/random.ts";
import type { Image } from "../image.ts";
import type { Augmentation, Parameter } from "./augmentation.ts";
import { brightness, contrast, hue, saturation } from "./color.ts";
import { between } from "./draw.ts";

export interface ColorJitterSpec {
  readonly kind: "color-jitter";
  /** A factor from max(0, 1 − brightness) to 1 + brightness; so for contrast and saturation. */
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
  /** A turn from −hue to hue, of the whole circle. */
  readonly hue?: number;
}

const strength = (standard: number): Parameter => ({
  expected: "a number of at least 0",
  valid: (value) => value >= 0,
  default: standard,
});

type Change = (image: Image, random: Random) => Image;

const byFactor =
  (change: (image: Image, factor: number) => Image, strength: number): Change =>
  (image, random) =>
    strength === 0 ? image : change(image, between(random, Math.max(0, 1 - strength), 1 + strength));

/** Brightness, contrast, saturation and hue, each changed by a random amount, in a random order. */
export const colorJitter: Augmentation<ColorJitterSpec> = {
  summary: "in random order; factors 1 ± each, hue ± a share of a turn",
  source: "torchvision ColorJitter; defaults of timm",
  parameters: {
    brightness: strength(0.4),
    contrast: strength(0.4),
    saturation: strength(0.4),
    hue: { expected: "a number from 0 to 0.5", valid: (value) => value >= 0 && value <= 0.5, default: 0 },
  },
  create: (spec) => {
    const changes: readonly Change[] = [
      byFactor(brightness, spec.brightness),
      byFactor(contrast, spec.contrast),
      byFactor(saturation, spec.saturation),
      (image, random) => (spec.hue === 0 ? image : hue(image, between(random, -spec.hue, spec.hue))),
    ];
    return {
      stage: "image",
      apply: (image, random) => {
        let changed = image;
        for (const k of random.permutation(changes.length)) changed = changes[k](changed, random);
        return changed;
      },
    };
  },
};
