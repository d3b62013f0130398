import type { Augmentation } from "./augmentation.ts";
import { type ColorJitterSpec, colorJitter } from "./color-jitter.ts";
import { type CutmixSpec, cutmix } from "./cutmix.ts";
import { type CutoutSpec, cutout } from "./cutout.ts";
import { type AlternatingFlipSpec, alternatingFlip, type FlipSpec, flip } from "./flip.ts";
import { type MixupSpec, mixup } from "./mixup.ts";
import { type RandAugmentSpec, randAugment } from "./rand-augment.ts";
import { type RandomCropSpec, randomCrop } from "./random-crop.ts";
import { type RandomResizedCropSpec, randomResizedCrop } from "./random-resized-crop.ts";
import { type ReflectedCropSpec, reflectedCropped } from "./reflected-crop.ts";

/** A random change of training images, as plain JSON: its kind, and its parameters where they are not the defaults. */
export type AugmentationSpec =
  | FlipSpec
  | AlternatingFlipSpec
  | RandomCropSpec
  | ReflectedCropSpec
  | RandomResizedCropSpec
  | ColorJitterSpec
  | RandAugmentSpec
  | CutoutSpec
  | MixupSpec
  | CutmixSpec;

/** Every kind there is. */
export const AUGMENTATIONS: { readonly [S in AugmentationSpec as S["kind"]]: Augmentation<S> } = {
  flip,
  "alternating-flip": alternatingFlip,
  "random-crop": randomCrop,
  "reflected-crop": reflectedCropped,
  "random-resized-crop": randomResizedCrop,
  "color-jitter": colorJitter,
  "rand-augment": randAugment,
  cutout,
  mixup,
  cutmix,
};
