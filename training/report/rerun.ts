import { shellWord } from "../../core/text.ts";
import { augmentationsText } from "../../pipeline/augmentations/text.ts";
import { RECIPES } from "../recipes/index.ts";
import type { Recipe } from "../recipes/recipe.ts";
import type { RunConfig } from "../run-config.ts";

/** The options whose names differ from the fields of a run's config. */
const FLAGS: Readonly<Record<string, string>> = { learningRate: "lr", learningRateBackbone: "lr-backbone", augmentations: "augment" };

/** The option of a field: `labelSmoothing` → `--label-smoothing`. */
export const flagOf = (field: string): string => `--${FLAGS[field] ?? field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Fields of a run's config that are not typed as they are. */
const TEXTS: { readonly [K in "head" | "augmentations" | "sizes" | "preprocess"]: (value: NonNullable<RunConfig[K]>) => string } = {
  head: (units) => units.join(",") || "none",
  augmentations: augmentationsText,
  sizes: (stages) => stages.map(({ size, epochs, batchSize }) => [size, epochs, batchSize].filter(Boolean).join(":")).join(",") || "none",
  preprocess: (fields) => JSON.stringify(fields),
};

/** An option's value as it is typed: `[{ kind: "random-crop", padding: 4 }]` of `augmentations` → `random-crop:4`. */
export function optionText(field: string, value: unknown): string {
  const text = TEXTS[field as keyof typeof TEXTS] as ((value: unknown) => string) | undefined;
  return text ? text(value) : String(value);
}

const isOff = (field: string, value: unknown): boolean =>
  value === undefined || value === false || (field !== "head" && Array.isArray(value) && value.length === 0);

/** The command that runs the same again: what is off is said only where the recipe has it on. */
export function trainCommandOf(config: RunConfig, recipes: Readonly<Record<string, Recipe>> = RECIPES): string {
  const { recipe, model, data, head, modelHash: _hash, stratified: _split, ...others } = config; // of the file, and always so of a folder
  const begun: Partial<RunConfig> = (recipe !== undefined && Object.hasOwn(recipes, recipe) && recipes[recipe].options) || {};
  const ownHead = head === undefined && begun.head !== undefined && begun.model === model;
  const words = Object.entries({ recipe, model, data, head, ...others }).flatMap(([field, value]) => {
    if (field === "head" && ownHead) return ["--head own"];
    if (isOff(field, value) && isOff(field, begun[field as keyof RunConfig])) return [];
    if (typeof value === "boolean") return [flagOf(field).replace("--", value ? "--" : "--no-")];
    return value === undefined ? [] : [`${flagOf(field)} ${shellWord(optionText(field, value))}`];
  });
  return ["fivecrop train", ...words].join(" ");
}
