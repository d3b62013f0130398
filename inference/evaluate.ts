import { checkWhole } from "../core/check.ts";
import { FivecropError, UsageError } from "../core/errors.ts";
import type { Dataset } from "../pipeline/dataset.ts";
import { keyOfView, parseViews, type View } from "../pipeline/views.ts";
import { checkAbstainBelow } from "./abstain.ts";
import type { Classification, Classifier } from "./classifier.ts";
import { classifyFiles } from "./classify-files.ts";
import { mean } from "./probabilities.ts";
import { createTally, type Metrics } from "./tally.ts";

export interface EvaluateOptions {
  /** Names of views; each gets its own evaluation, and crops that several need are computed once. The model's own where left out. */
  readonly views?: string | readonly string[];
  /** An answer of a smaller probability counts as "not sure": each evaluation then says how many are answered, and how many of these are right. */
  readonly abstainBelow?: number;
  /** Images that are classified between two progress events, 64. */
  readonly batchSize?: number;
  /**
   * The classifier again, where it takes the paths of files: pictures of a data set of files are then read by it, ahead of the network, and one that
   * cannot be read is reported and left out. Without it images are read in this thread, and one that cannot be read is an error.
   */
  readonly files?: Pick<Classifier<string>, "classify">;
  /** Milliseconds since any fixed moment. */
  readonly now?: () => number;
}

/** How well a classifier does on a data set, by one choice of views. */
export interface Evaluation extends Metrics {
  readonly views: string;
  readonly images: number;
  /** Pictures that cannot be read, which count nowhere. */
  readonly unreadable: number;
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
      /** Of each image since the event before: what the first choice of views says of every class; undefined where it cannot be read. */
      readonly probabilities: readonly (Float64Array | undefined)[];
    }
  /** A picture that cannot be read: it counts nowhere. */
  | { readonly kind: "unreadable"; readonly file: string; readonly message: string }
  | { readonly kind: "result"; readonly evaluations: readonly Evaluation[] };

/**
 * Classifies every image of a data set: progress after each batch, then the result. Classes are matched by name.
 * @throws UsageError where the data set has a class that is none of the classifier's; FivecropError where no picture can be read.
 */
export async function* evaluate(
  classifier: Pick<Classifier, "labels" | "probabilities" | "views"> & Partial<Pick<Classifier, "metadata">>,
  dataset: Dataset,
  options: EvaluateOptions = {},
): AsyncGenerator<EvaluationEvent, void, undefined> {
  const { views = classifier.views, batchSize = 64, abstainBelow, now = () => performance.now() } = options;
  checkWhole("batchSize", batchSize, 1);
  checkAbstainBelow(abstainBelow);
  const columns = matchClasses(classifier.labels, dataset);
  const names = [views].flat();
  const { distinct, choices } = classifier.metadata?.selfContained ? chooseOwn(names, classifier.views) : chooseViews(names);
  const tallies = choices.map(() => createTally(classifier.labels.length, abstainBelow));
  const changes = choices.map(() => ({ fixed: 0, broke: 0 }));
  const none = choices.findIndex(({ name }) => name === "none");
  const start = now();
  const secondsSince = () => Math.max(1e-9, (now() - start) / 1000);
  let [done, unreadable] = [0, 0];
  let probabilities: (Float64Array | undefined)[] = [];
  for await (const answers of answersOf(classifier, dataset, distinct, options))
    for (const answer of answers) {
      const { index, lists } = answer;
      if (lists) {
        const means = choices.map(({ members }) => mean(members.map((member) => lists[member])));
        const right = means.map((each, k) => tallies[k].add(each, columns[dataset.labels[index]]));
        probabilities.push(means[0]);
        right.forEach((isRight, k) => {
          if (isRight && !right[none]) changes[k].fixed++;
          if (!isRight && right[none]) changes[k].broke++;
        });
      } else {
        unreadable++;
        probabilities.push(undefined);
        yield { kind: "unreadable", file: answer.file, message: answer.message };
      }
      done++;
      if (done % batchSize === 0 || done === dataset.length) {
        yield { kind: "progress", done, total: dataset.length, imagesPerSecond: done / secondsSince(), probabilities };
        probabilities = [];
      }
    }
  const total = done - unreadable;
  if (total === 0) throw new FivecropError(`${dataset.name}: none of its ${unreadable} pictures can be read`);
  const seconds = secondsSince();
  yield {
    kind: "result",
    evaluations: choices.map(({ name }, k) => ({
      views: name,
      images: total,
      unreadable,
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

interface Choices {
  /** Each different view once. */
  readonly distinct: readonly View[];
  /** Rows of views by name; a row's members are places in an image's lists of probabilities. */
  readonly choices: readonly { readonly name: string; readonly members: readonly number[] }[];
}

/** A self-contained model answers with one list for all of its own views. */
function chooseOwn(names: readonly string[], own: string): Choices {
  if (names.length !== 1 || names[0] !== own)
    throw new UsageError(
      `views: the model is self-contained, its graph averages over ${own} itself; received ${names.join(", ") || "none"}. To fix: leave the views out, or give the file that it was made of.`,
    );
  return { distinct: parseViews(own), choices: [{ name: own, members: [0] }] };
}

function chooseViews(names: readonly string[]): Choices {
  if (names.length === 0) throw new UsageError("views: expected at least one name, received none");
  const table = new Map(names.flatMap(parseViews).map((view) => [keyOfView(view), view]));
  const keys = [...table.keys()];
  const choices = names.map((name) => ({ name, members: parseViews(name).map((view) => keys.indexOf(keyOfView(view))) }));
  return { distinct: [...table.values()], choices };
}

/** For each view the probabilities of all classes, or why there are none. */
type Answer =
  | { readonly index: number; readonly lists: readonly Float64Array[] }
  | { readonly index: number; readonly lists?: undefined; readonly file: string; readonly message: string };

const listsOf = ({ views, probabilities }: Classification): readonly Float64Array[] =>
  (views.length > 0 ? views : [{ probabilities }]).map((one) => Float64Array.from(one.probabilities));

/** Files that are asked for before the first of them is answered: enough that no batch waits for one slow file. */
const AHEAD = 128;

/** Every image's answer, in order, as they come: a step of a generator for each of them costs as much as counting it. */
async function* answersOf(
  classifier: Pick<Classifier, "probabilities">,
  dataset: Dataset,
  views: readonly View[],
  { files, batchSize = 64 }: EvaluateOptions,
): AsyncGenerator<readonly Answer[], void, undefined> {
  const { file, length } = dataset;
  if (file && files) {
    const paths = Array.from({ length }, (_, i) => file(i));
    let index = 0;
    for await (const { file: path, classification, error } of classifyFiles(files, paths, { views, top: 1, ahead: AHEAD }))
      yield [error ? { index: index++, file: path, message: error.message } : { index: index++, lists: listsOf(classification) }];
    return;
  }
  const ask = (from: number): Promise<Float64Array[][]> => {
    const images = Array.from({ length: Math.min(batchSize, length - from) }, (_, i) => () => dataset.image(from + i));
    return classifier.probabilities(images, views);
  };
  let next = ask(0);
  for (let from = 0; from < length; from += batchSize) {
    const answers = await next;
    if (from + batchSize < length) next = ask(from + batchSize); // a session with a thread of its own runs while these are counted
    next.catch(() => undefined); // thrown when its turn comes
    yield answers.map((lists, i) => ({ index: from + i, lists }));
  }
}

/**
 * The classifier's column of each class of the data set: by name, whatever the order; it may know more classes.
 * @throws UsageError where a class is none of the classifier's, or there is no image.
 */
export function matchClasses(labels: readonly string[], { name, classNames, length }: Dataset): readonly number[] {
  if (length === 0) throw new UsageError(`${name}: expected images to evaluate on, found none`);
  const unknown = classNames.filter((className) => !labels.includes(className));
  if (unknown.length)
    throw new UsageError(
      `${name}: ${unknown.length} of its ${classNames.length} classes (${some(unknown)}) are none of the model's ${labels.length} (${some(labels)}): it was made for other data, or its classes are called otherwise. To fix: call them alike, by the folders' names or --labels.`,
    );
  const twice = classNames.find((className) => labels.indexOf(className) !== labels.lastIndexOf(className));
  if (twice !== undefined)
    throw new UsageError(
      `${name}: its class '${twice}' is the name of several of the model's classes: expected one. To fix: give them names of their own, by --labels.`,
    );
  return classNames.map((className) => labels.indexOf(className));
}

const some = (names: readonly string[]): string => `${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;
