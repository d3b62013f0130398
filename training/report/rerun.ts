import { shellWord } from "../../core/text.ts";
import type { RunConfig } from "../run-config.ts";

/** The options whose names differ from the fields of a run's config. */
const FLAGS: Readonly<Record<string, string>> = { learningRate: "lr", augmentations: "augment" };

const flagOf = (field: string): string => `--${FLAGS[field] ?? field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** An option's value as it is typed: `{ kind: "random-crop", padding: 4 }` → `random-crop:4`; a list has commas between. */
export function optionText(value: unknown): string {
  if (Array.isArray(value)) return value.length ? value.map(optionText).join(",") : "none";
  if (typeof value !== "object" || value === null) return String(value);
  const { kind, ...numbers } = value as Readonly<Record<string, unknown>>;
  return [kind, ...Object.values(numbers)].join(":");
}

/** The command that runs the same again. */
export function trainCommandOf(config: RunConfig): string {
  const { model, data, ...others } = config;
  const words = Object.entries({ model, data, ...others }).flatMap(([field, value]) => {
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) return [];
    return value === true ? [flagOf(field)] : [`${flagOf(field)} ${shellWord(optionText(value))}`];
  });
  return ["fivecrop train", ...words].join(" ");
}
