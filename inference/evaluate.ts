import { UsageError } from "../core/errors.ts";
import type { Dataset } from "../pipeline/dataset.ts";
import { parseViews, type View } from "../pipeline/views.ts";
import type { Classifier } from "./classifier.ts";
import { mean } from "./probabilities.ts";
import { createTally, type Metrics } from "./tally.ts";

export interface EvaluateOptions {
  /** Names of views; each gets its own evaluation, and crops that several need are computed once. The model's own where left out. */
  readonly views?: string | readonly string[];
  /** Images that are read and classified between two progress events, 64. */
  readonly batchSize?: number;
  /** Milliseconds since any fixed moment. */
  readonly now?: () => number;
}

/** How well a classifier does on a data set, by one choice of views. */
export interface Evaluation extends Metrics {
  readonly views: string;
  readonly images: number;
  /** Where `none` is evaluated in the same pass: how many images these views get right that `none` gets wrong (fixed), and the reverse (broke). */
  readonly againstNone?: { readonly fixed: number; readonly broke: number };
  readonly seconds: number;
  /** All views together, reading included. */
  readonly imagesPerSecond: number;
}

export type EvaluationEvent =
  | {
      readonly kind: "progress";
      readonly done: number;
      readonly total: number;
      readonly imagesPerSecond: number;
      /** Of each image since the event before: what the first choice of views says of every class. */
      readonly probabilities: readonly Float64Array[];
    }
  | { readonly kind: "result"; readonly evaluations: readonly Evaluation[] };

/**
 * Classifies every image of a data set: progress after each batch, then the result.
 * @throws UsageError where the data set's classes are not the classifier's.
 */
export async function* evaluate(
  classifier: Pick<Classifier, "labels" | "probabilities" | "views">,
  dataset: Dataset,
  options: EvaluateOptions = {},
): AsyncGenerator<EvaluationEvent, void, undefined> {
  const { views = classifier.views, batchSize = 64, now = () => performance.now() } = options;
  if (!(Number.isInteger(batchSize) && batchSize >= 1))
    throw new UsageError(`batchSize: expected a whole number from 1, received ${batchSize}`);
  checkClasses(classifier.labels, dataset);
  const { distinct, choices } = chooseViews([views].flat());
  const tallies = choices.map(() => createTally(classifier.labels.length));
  const changes = choices.map(() => ({ fixed: 0, broke: 0 }));
  const none = choices.findIndex(({ name }) => name === "none");
  const total = dataset.length;
  const start = now();
  const secondsSince = () => Math.max(1e-9, (now() - start) / 1000);
  for (let from = 0; from < total; from += batchSize) {
    const indices = Array.from({ length: Math.min(batchSize, total - from) }, (_, i) => from + i);
    const answers = await classifier.probabilities(
      indices.map((index) => () => dataset.image(index)),
      distinct,
    );
    const probabilities: Float64Array[] = [];
    for (const [i, index] of indices.entries()) {
      const means = choices.map(({ members }) => mean(members.map((member) => answers[i][member])));
      const right = means.map((each, k) => tallies[k].add(each, dataset.labels[index]));
      probabilities.push(means[0]);
      right.forEach((isRight, k) => {
        if (isRight && !right[none]) changes[k].fixed++;
        if (!isRight && right[none]) changes[k].broke++;
      });
    }
    const done = from + indices.length;
    yield { kind: "progress", done, total, imagesPerSecond: done / secondsSince(), probabilities };
  }
  const seconds = secondsSince();
  yield {
    kind: "result",
    evaluations: choices.map(({ name }, k) => ({
      views: name,
      images: total,
      ...tallies[k].result(classifier.labels),
      ...(none >= 0 && k !== none && { againstNone: changes[k] }),
      seconds,
      imagesPerSecond: total / seconds,
    })),
  };
}

/** The evaluations alone, for who does not watch the progress. */
export async function evaluations(...args: Parameters<typeof evaluate>): Promise<readonly Evaluation[]> {
  let result: readonly Evaluation[] = [];
  for await (const event of evaluate(...args)) if (event.kind === "result") result = event.evaluations;
  return result;
}

/** Rows of views by name, and each different view once; a row's members are places in that list. */
function chooseViews(names: readonly string[]): {
  readonly distinct: readonly View[];
  readonly choices: readonly { readonly name: string; readonly members: readonly number[] }[];
} {
  if (names.length === 0) throw new UsageError("views: expected at least one name, received none");
  const keyOf = ({ anchor, flip, resize }: View) => JSON.stringify([anchor, flip, resize ?? null]);
  const table = new Map(names.flatMap(parseViews).map((view) => [keyOf(view), view]));
  const keys = [...table.keys()];
  const choices = names.map((name) => ({ name, members: parseViews(name).map((view) => keys.indexOf(keyOf(view))) }));
  return { distinct: [...table.values()], choices };
}

/**
 * Columns are told by their order: the same names in another order, or another number of them, would give nonsense.
 * @throws UsageError where the data set has other classes, or no image.
 */
export function checkClasses(labels: readonly string[], { name, classNames, length }: Dataset): void {
  if (length === 0) throw new UsageError(`${name}: expected images to evaluate on, found none`);
  if (labels.length !== classNames.length)
    throw new UsageError(`the model tells ${labels.length} classes apart, ${name} has ${classNames.length}: it was made for other data`);
  const moved = labels.findIndex((label, i) => label !== classNames[i] && classNames.includes(label));
  if (moved >= 0)
    throw new UsageError(
      `class ${moved} is '${labels[moved]}' for the model and '${classNames[moved]}' in ${name}: expected one order of the classes`,
    );
}
