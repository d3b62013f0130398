import { fashionCnn } from "./fashion-cnn.ts";
import { fashionLenetBn } from "./fashion-lenet-bn.ts";
import type { Recipe } from "./recipe.ts";

/** Experiments by name: `train --recipe NAME`. */
export const RECIPES = {
  "fashion-cnn": fashionCnn,
  "fashion-lenet-bn": fashionLenetBn,
} as const satisfies Readonly<Record<string, Recipe>>;
