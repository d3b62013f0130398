import { UsageError } from "../core/errors.ts";
import type { Dataset } from "../pipeline/dataset.ts";
import { parseViews, type View } from "../pipeline/views.ts";
import type { Classifier } from "./classifier.ts";
import { mean, rankOf } from "./probabilities.ts";

export interface EvaluateOptions {
  /** Names of views; each gets its own evaluation, and crops that several need are computed once. The model's own where left out. */
  readonly views?: string | readonly string[];
  /** Images that are read and classified between two progress events, 64. */
  readonly batchSize?: number;
  /** Milliseconds since any fixed moment. */
  readonly now?: () => number;
}

/** How well a classifier does on a data set, by one choice of views. Accuracies are of [0, 1]. */
export interface Evaluation {
  readonly views: string;
  readonly images: number;
  readonly top1: number;
  /** The share of images whose class is among the five most probable. */
  readonly top5: number;
  /** The mean of −ln p(class). */
  readonly loss: number;
  readonly perClass: readonly { readonly label: string; readonly images: number; readonly accuracy: number | undefined }[];
  /** confusion[truth][prediction]: how many images. */
  readonly confusion: readonly (readonly number[])[];
  /** Where `none` is evaluated in the same pass: how many images these views get right that `none` gets wrong (fixed), and the reverse (broke). */
  readonly againstNone?: { readonly fixed: number; readonly broke: number };
  readonly seconds: number;
  /** All views together, reading included. */
  readonly imagesPerSecond: number;
}

export type EvaluationEvent =
  | { readonly kind: "progress"; readonly done: number; readonly total: number; readonly imagesPerSecond: number }
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
    for (const [i, index] of indices.entries()) {
      const right = choices.map((choice, k) =>
        tallies[k].add(mean(choice.members.map((member) => answers[i][member])), dataset.labels[index]),
      );
      right.forEach((isRight, k) => {
        if (isRight && !right[none]) changes[k].fixed++;
        if (!isRight && right[none]) changes[k].broke++;
      });
    }
    const done = from + indices.length;
    yield { kind: "progress", done, total, imagesPerSecond: done / secondsSince() };
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

/** Columns are told by their order: the same names in another order, or another number of them, would give nonsense. */
function checkClasses(labels: readonly string[], { name, classNames, length }: Dataset): void {
  if (length === 0) throw new UsageError(`${name}: expected images to evaluate on, found none`);
  if (labels.length !== classNames.length)
    throw new UsageError(`the model tells ${labels.length} classes apart, ${name} has ${classNames.length}: it was made for other data`);
  const moved = labels.findIndex((label, i) => label !== classNames[i] && classNames.includes(label));
  if (moved >= 0)
    throw new UsageError(
      `class ${moved} is '${labels[moved]}' for the model and '${classNames[moved]}' in ${name}: expected one order of the classes`,
    );
}

type Counts = Pick<Evaluation, "top1" | "top5" | "loss" | "perClass" | "confusion">;

function createTally(classes: number): {
  /** @returns whether the most probable class is the true one */
  add(probabilities: Float64Array, truth: number): boolean;
  result(labels: readonly string[]): Counts;
} {
  const confusion = Array.from({ length: classes }, () => Array<number>(classes).fill(0));
  const sums = { images: 0, top1: 0, top5: 0, loss: 0 };
  return {
    add(probabilities, truth) {
      const rank = rankOf(probabilities, truth);
      sums.images++;
      if (rank < 1) sums.top1++;
      if (rank < 5) sums.top5++;
      sums.loss -= Math.log(Math.max(probabilities[truth], Number.MIN_VALUE));
      confusion[truth][indexOfLargest(probabilities)]++;
      return rank < 1;
    },
    result(labels) {
      const perClass = confusion.map((row, truth) => {
        const images = row.reduce((a, b) => a + b, 0);
        return { label: labels[truth], images, accuracy: images ? row[truth] / images : undefined };
      });
      const { images, top1, top5, loss } = sums;
      return { top1: top1 / images, top5: top5 / images, loss: loss / images, perClass, confusion };
    },
  };
}

const indexOfLargest = (values: Float64Array): number => values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
