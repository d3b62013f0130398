import { UsageError } from "../../core/errors.ts";
import { AUGMENTATIONS, type AugmentationSpec } from "./index.ts";
import { type AnyAugmentation, augmentationOf, checkAugmentations, completeSpec, isPair } from "./spec.ts";

const ENDS = ["MIN_", "MAX_"];

/** The numbers that a text has behind the kind: their names and defaults, a pair's one after the other. */
const numbersOf = ({ parameters }: AnyAugmentation): readonly (readonly [name: string, standard: number | undefined])[] =>
  Object.entries(parameters).flatMap(([name, { default: standard }]) =>
    isPair(standard) ? standard.map((end, i) => [ENDS[i] + name.toUpperCase(), end] as const) : [[name.toUpperCase(), standard] as const],
  );

/** How a kind is written, as `cutout:SIZE`. */
export function usageOf(kind: string): string {
  const names = numbersOf(augmentationOf(kind)).map(([name]) => name);
  return names.length ? `${kind}:${names.join(",")}` : kind;
}

/** The numbers that stand for those left out, as `16`; undefined where there are none. */
export function defaultsOf(kind: string): string | undefined {
  const numbers = numbersOf(augmentationOf(kind)).map(([, standard]) => standard);
  return numbers.length && numbers[0] !== undefined ? numbers.map((number) => +number!.toPrecision(3)).join(",") : undefined;
}

/** Kind by kind: how it is written, what it does, and its defaults, as lines for a person. */
export const augmentationLines = (): readonly string[] =>
  Object.keys(AUGMENTATIONS).flatMap((kind) => {
    const standard = defaultsOf(kind);
    return [usageOf(kind), `    ${augmentationOf(kind).summary}${standard ? ` (${standard})` : ""}`];
  });

function parseOne(part: string): AugmentationSpec {
  const [, kind, behind] = /^([^:,]*)[:,]?(.*)$/s.exec(part) as RegExpExecArray;
  const row = augmentationOf(kind);
  const given = behind === "" ? [] : behind.split(",").map((text) => (text.trim() === "" ? Number.NaN : Number(text)));
  const numbers = numbersOf(row);
  const wellFormed =
    part === kind ? numbers.every(([, standard]) => standard !== undefined) : part === `${kind}:${behind}` && behind !== "";
  if (!wellFormed || given.length > numbers.length) throw new UsageError(`--augment: expected ${usageOf(kind)}, received '${part}'.`);
  const complete = numbers.map(([, standard], i) => given[i] ?? standard);
  const values = Object.entries(row.parameters).map(([name, { default: standard }]) => [
    name,
    isPair(standard) ? complete.splice(0, 2) : complete.shift(),
  ]);
  return completeSpec({ kind, ...Object.fromEntries(values) });
}

/** Specs as they are typed, every number spelled out: what `parseAugmentations` reads. */
export const augmentationsText = (specs: readonly AugmentationSpec[]): string =>
  specs
    .map(({ kind, ...values }) => {
      const numbers = Object.values<number | readonly number[]>(values).flat();
      return numbers.length ? `${kind}:${numbers.join(",")}` : kind;
    })
    .join(",") || "none";

/**
 * `flip,color-jitter:0.4,0.4,0.4,0.1,mixup:0.2` → specs with all their parameters. No kind begins with a digit, so a number behind a comma belongs to
 * the kind before it; numbers left out at a kind's end have their defaults. `none` is an empty list.
 * @throws UsageError
 */
export function parseAugmentations(text: string): readonly AugmentationSpec[] {
  if (text === "none") return [];
  const specs = text.split(/,(?![-+.\d])/).map(parseOne);
  checkAugmentations(specs);
  return specs;
}
