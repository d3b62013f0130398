import { lookUp } from "../core/nearest.ts";
import type { PreprocessSpec } from "./preprocess.ts";

const photo = { resize: 256, filter: "bilinear", crop: [224, 224], channels: 3 } as const;

/** Preprocessing that many published models share, by name; `preprocessFor` fits it to another input. */
export const PRESETS = {
  /** @see https://docs.pytorch.org/vision/stable/models.html the classification weights' "inference transforms" */
  imagenet: { ...photo, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  /** A pixel from 0 to 1. @see https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/ with 1/255 */
  "zero-to-one": { ...photo, mean: [0, 0, 0], std: [1, 1, 1] },
  /** A pixel from −1 to 1. @see https://keras.io/api/applications/mobilenet/ its preprocess_input */
  "minus-one-to-one": { ...photo, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
} satisfies Readonly<Record<string, PreprocessSpec>>;

export type PresetName = keyof typeof PRESETS;

/** @throws UsageError with the nearest name where there is no such preset. */
export const presetOf = (name: string): PreprocessSpec => lookUp<PreprocessSpec>("preset", PRESETS, name);
