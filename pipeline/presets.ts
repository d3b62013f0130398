import { lookUp } from "../core/nearest.ts";
import type { PreprocessSpec } from "./preprocess.ts";

/** Preprocessing that many published models share, by name. */
export const PRESETS = {
  /** @see https://docs.pytorch.org/vision/stable/models.html the classification weights' "inference transforms" */
  imagenet: {
    resize: 256,
    filter: "bilinear",
    crop: [224, 224],
    channels: 3,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  },
} satisfies Readonly<Record<string, PreprocessSpec>>;

/** @throws UsageError with the nearest name where there is no such preset. */
export const presetOf = (name: string): PreprocessSpec => lookUp<PreprocessSpec>("preset", PRESETS, name);
