import { FivecropError } from "../core/errors.ts";
import type { Dataset } from "../pipeline/dataset.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** What a checkpoint remembers of the data that it was trained on. */
export type RunData = Pick<Checkpoint, "images" | "validationImages" | "classNames">;

type Part = Pick<Dataset, "name" | "length" | "classNames">;

/** What a run's checkpoints remember of its data. */
export const runDataOf = ({ training, validation }: { readonly training: Part; readonly validation?: Part }): RunData => ({
  images: training.length,
  validationImages: validation?.length ?? 0,
  classNames: training.classNames,
});

/**
 * A run's checkpoint means something only with the run's own data: other classes would name its outputs wrongly, and with more or fewer images others are
 * drawn for validation.
 * @throws FivecropError where the number of images or the classes are not what they were.
 */
export function checkRunData(then: RunData, parts: { readonly training: Part; readonly validation?: Part }): void {
  const now = runDataOf(parts);
  const counts = [
    ["images to train on", then.images, now.images],
    ["images to validate on", then.validationImages, now.validationImages],
  ] as const;
  const differing = counts.flatMap(([what, before, found]) => (before === found ? [] : [`${what}: expected ${before}, found ${found}`]));
  const classes = differingClasses(then.classNames, now.classNames);
  if (classes) differing.push(`classes: ${classes}`);
  if (differing.length)
    throw new FivecropError(
      `${parts.training.name} is no longer the data that the run was trained on: ${differing.join("; ")}. To fix: put the data back as they were, or train anew.`,
    );
}

const listed = (names: readonly string[]): string =>
  `${names
    .slice(0, 5)
    .map((name) => `'${name}'`)
    .join(", ")}${names.length > 5 ? ` and ${names.length - 5} more` : ""}`;

function differingClasses(then: readonly string[], now: readonly string[]): string | undefined {
  const missing = then.filter((name) => !now.includes(name));
  const added = now.filter((name) => !then.includes(name));
  if (missing.length || added.length)
    return [missing.length && `${listed(missing)} missing`, added.length && `${listed(added)} added`].filter(Boolean).join(", ");
  return then.some((name, i) => name !== now[i]) ? "in another order" : undefined;
}
