import { UsageError } from "../../core/errors.ts";
import { lookUp, nearestNames } from "../../core/nearest.ts";
import type { Augmentation, Parameter, Stage } from "./augmentation.ts";
import { AUGMENTATIONS, type AugmentationSpec } from "./index.ts";

/** A row of the table, for whoever handles all kinds alike. */
export interface AnyAugmentation extends Omit<Augmentation<{ readonly kind: string }>, "parameters"> {
  readonly parameters: Readonly<Record<string, Parameter>>;
}
type Value = number | readonly [number, number];

/** @throws UsageError that names the nearest kind. */
export const augmentationOf = (kind: string): AnyAugmentation =>
  lookUp("augmentation", AUGMENTATIONS as unknown as Readonly<Record<string, AnyAugmentation>>, kind);

export const isPair = (value: unknown): value is readonly [number, number] => Array.isArray(value) && value.length === 2;

function checkValue(where: string, { expected, valid, default: standard }: Parameter, value: Value): void {
  const fits = (number: unknown): boolean => typeof number === "number" && Number.isFinite(number) && valid(number);
  const received = `received ${JSON.stringify(value) ?? "nothing"}`;
  if (!isPair(standard)) {
    if (!fits(value)) throw new UsageError(`${where}: expected ${expected}, ${received}`);
  } else if (!(isPair(value) && value.every(fits) && value[0] <= value[1]))
    throw new UsageError(`${where}: expected two numbers in order, each ${expected}, ${received}`);
}

/**
 * A spec with all its parameters, checked.
 * @throws UsageError for an unknown kind or parameter, with the nearest name, and for a number out of range.
 */
export function completeSpec(spec: AugmentationSpec): Required<AugmentationSpec> {
  if (typeof spec !== "object" || typeof spec?.kind !== "string")
    throw new UsageError(`augmentations: expected objects with a kind, such as {"kind":"flip"}, received ${JSON.stringify(spec)}`);
  const { kind, ...given } = spec as { readonly kind: string } & Readonly<Record<string, Value | undefined>>;
  const { parameters } = augmentationOf(kind);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(parameters, name)) continue;
    const [nearest] = nearestNames(name, Object.keys(parameters), 1);
    throw new UsageError(`augmentation ${kind}: unknown parameter '${name}'.${nearest ? ` Did you mean '${nearest}'?` : ""}`);
  }
  const values = Object.entries(parameters).map(([name, parameter]) => {
    const value = given[name] === undefined ? parameter.default : given[name];
    checkValue(`augmentation ${kind}: ${name}`, parameter, value as Value);
    return [name, value];
  });
  return { kind, ...Object.fromEntries(values) };
}

/** What a spec does. @throws UsageError */
export function createStage(spec: AugmentationSpec): Stage {
  const complete = completeSpec(spec);
  return augmentationOf(complete.kind).create(complete);
}

/** @throws UsageError for a spec that is wrong, or two that both cut the picture out. */
export function checkAugmentations(specs: readonly AugmentationSpec[]): void {
  const cutting = specs.filter((spec) => createStage(spec).stage === "fit").map(({ kind }) => kind);
  if (cutting.length > 1)
    throw new UsageError(`augmentations: expected at most one that cuts the picture out, received ${cutting.join(" and ")}`);
}
