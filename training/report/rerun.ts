import { shellWord } from "../../core/text.ts";
import { augmentationsText } from "../../pipeline/augmentations/text.ts";
import type { RunConfig } from "../run-config.ts";

/** The options whose names differ from the fields of a run's config. */
const FLAGS: Readonly<Record<string, string>> = { learningRate: "lr", augmentations: "augment" };

const flagOf = (field: string): string => `--${FLAGS[field] ?? field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

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

/** The command that runs the same again. */
export function trainCommandOf(config: RunConfig): string {
  const { recipe, model, data, ...others } = config;
  const words = Object.entries({ recipe, model, data, ...others }).flatMap(([field, value]) => {
    if (value === undefined || value === false || (field !== "head" && Array.isArray(value) && value.length === 0)) return [];
    return value === true ? [flagOf(field)] : [`${flagOf(field)} ${shellWord(optionText(field, value))}`];
  });
  return ["fivecrop train", ...words].join(" ");
}
