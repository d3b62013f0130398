import { random } from "../../core/random.ts";
import { temper } from "../../inference/calibration.ts";
import type { Classifier } from "../../inference/classifier.ts";
import { type EvaluateOptions, evaluate, matchClasses } from "../../inference/evaluate.ts";
import { createTally, indexOfLargest, type Metrics } from "../../inference/tally.ts";
import type { Dataset } from "../../pipeline/dataset.ts";

/** The most images that a report measures on by itself: a bound of its time that the number's error hardly notices (one percentage point at most). */
export const MOST_IMAGES = 10_000;
/** How many pictures are shown of either kind. */
const [SHOWN, MISTAKES] = [36, 24];

/** What was said of one picture. */
export interface Answered {
  /** Its place in the data set that was measured on. */
  readonly index: number;
  readonly truth: number;
  readonly answer: number;
  /** The answer's probability. */
  readonly confidence: number;
}

export interface Measured {
  readonly images: number;
  /** Images of the whole split. */
  readonly of: number;
  readonly seconds: number;
  /** What logits were divided by. */
  readonly temperature: number;
  readonly metrics: Metrics;
  /** The same without the temperature, where there is one. */
  readonly untempered?: Metrics;
  /** Some pictures, drawn by a seed. */
  readonly shown: readonly Answered[];
  /** The wrong answers with the highest probability, highest first. */
  readonly mistakes: readonly Answered[];
}

export interface MeasureOptions {
  readonly temperature: number;
  /** The whole split's size, where the data set is a part of it. */
  readonly of: number;
  /** The classifier again, where it takes the paths of files, as `evaluate` asks for. */
  readonly files?: EvaluateOptions["files"];
  readonly now?: () => number;
}

export type MeasureEvent =
  | { readonly kind: "progress"; readonly done: number; readonly total: number; readonly imagesPerSecond: number }
  | { readonly kind: "measured"; readonly measured: Measured };

/**
 * Measures a classifier, whose temperature is 1, by one view of each image: without and with the temperature, and notes single answers.
 * @throws UsageError where the data set's classes are not the classifier's.
 */
export async function* measure(
  classifier: Pick<Classifier, "labels" | "probabilities" | "views">,
  dataset: Dataset,
  { temperature, of, files, now = () => performance.now() }: MeasureOptions,
): AsyncGenerator<MeasureEvent, void, undefined> {
  const start = now();
  const columns = matchClasses(classifier.labels, dataset);
  const tally = createTally(classifier.labels.length);
  const answers: Answered[] = [];
  for await (const event of evaluate(classifier, dataset, { views: "none", files, now })) {
    if (event.kind === "progress") {
      for (const [i, untempered] of event.probabilities.entries()) {
        if (!untempered) continue; // it cannot be read
        const index = event.done - event.probabilities.length + i;
        const probabilities = temper(untempered, temperature);
        const answer = indexOfLargest(probabilities);
        const truth = columns[dataset.labels[index]];
        tally.add(probabilities, truth);
        answers.push({ index, truth, answer, confidence: probabilities[answer] });
      }
      const { done, total, imagesPerSecond } = event;
      yield { kind: "progress", done, total, imagesPerSecond };
    }
    if (event.kind !== "result") continue;
    const order = random(0).fork("pictures").permutation(answers.length);
    yield {
      kind: "measured",
      measured: {
        images: answers.length,
        of,
        seconds: (now() - start) / 1e3,
        temperature,
        metrics: tally.result(classifier.labels),
        ...(temperature !== 1 && { untempered: event.evaluations[0] }),
        shown: Array.from(order.slice(0, SHOWN), (index) => answers[index]),
        mistakes: answers
          .filter(({ truth, answer }) => truth !== answer)
          .sort((a, b) => b.confidence - a.confidence || a.index - b.index)
          .slice(0, MISTAKES),
      },
    };
  }
}
