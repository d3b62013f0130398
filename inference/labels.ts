import { UsageError } from "../core/errors.ts";
import { parseJson } from "../core/parse-json.ts";

/**
 * The names of classes, from the text of a file: a name a line, JSON's list of them, or a map from each class's number to its name, { "0": "tench", … }.
 * @param name what messages call the file
 * @throws UsageError where there is no name, an empty one, or a number is missing.
 */
export function parseLabels(text: string, name: string): readonly string[] {
  const labels = /^\s*[[{]/.test(text) ? listOf(parseJson(text, name)) : linesOf(text);
  if (labels.length > 0 && labels.every((label) => typeof label === "string" && label.length > 0)) return labels as readonly string[];
  throw new UsageError(
    `${name}: expected a name a line, or JSON's ["name", …] or {"0": "name", …}, and no empty name; found ${JSON.stringify(text.slice(0, 40))}.`,
  );
}

function linesOf(text: string): readonly string[] {
  const lines = text.replace(/\r/g, "").split("\n");
  while (lines.at(-1)?.trim() === "") lines.pop();
  return lines.map((line) => line.trim());
}

/** A map's names by their numbers, from 0, none left out. */
function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  const map = value as Readonly<Record<string, unknown>>;
  return Object.keys(map).map((_, i) => map[i]);
}
