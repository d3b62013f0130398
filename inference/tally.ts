import { type Calibration, createReliability, wilsonInterval } from "./calibration.ts";
import { type CoverageRow, createCoverage } from "./coverage.ts";
import { rankOf } from "./probabilities.ts";

/** How well probabilities fit to the true classes. Accuracies are of [0, 1]. */
export interface Metrics {
  readonly top1: number;
  /** The 95 % interval of top1, by Wilson. */
  readonly top1Interval: readonly [low: number, high: number];
  /** The share of images whose class is among the five most probable. */
  readonly top5: number;
  readonly top5Interval: readonly [low: number, high: number];
  /** The mean of −ln p(class). */
  readonly loss: number;
  readonly perClass: readonly ClassMetrics[];
  /** confusion[truth][prediction]: how many images. */
  readonly confusion: readonly (readonly number[])[];
  readonly calibration: Calibration;
  /** What is answered, and how well, where answers below a probability are "not sure": for rising probabilities, the first 0. */
  readonly coverage: readonly CoverageRow[];
  /** The same for the probability that was asked for. */
  readonly abstention?: CoverageRow;
}

/** How the images of one class were answered; accuracy and its 95 % interval are undefined where there are none. */
export interface ClassMetrics {
  readonly label: string;
  readonly images: number;
  readonly accuracy: number | undefined;
  readonly interval: readonly [low: number, high: number] | undefined;
}

export interface Tally {
  /** @returns whether the most probable class is the true one */
  add(probabilities: Float64Array, truth: number): boolean;
  result(labels: readonly string[]): Metrics;
}

/** Counts answers, image by image. @param abstainBelow the probability below which an answer is "not sure" */
export function createTally(classes: number, abstainBelow?: number): Tally {
  const confusion = Array.from({ length: classes }, () => Array<number>(classes).fill(0));
  const reliability = createReliability();
  const coverage = createCoverage(abstainBelow);
  const sums = { images: 0, top1: 0, top5: 0, loss: 0 };
  return {
    add(probabilities, truth) {
      const rank = rankOf(probabilities, truth);
      const answer = indexOfLargest(probabilities);
      sums.images++;
      if (rank < 1) sums.top1++;
      if (rank < 5) sums.top5++;
      sums.loss -= Math.log(Math.max(probabilities[truth], Number.MIN_VALUE));
      confusion[truth][answer]++;
      reliability.add(probabilities[answer], rank < 1);
      coverage.add(probabilities[answer], rank < 1);
      return rank < 1;
    },
    result(labels) {
      const perClass = confusion.map((row, truth) => {
        const images = row.reduce((a, b) => a + b, 0);
        return { label: labels[truth], images, ...shareOf(row[truth], images) };
      });
      const { images, top1, top5, loss } = sums;
      return {
        top1: top1 / images,
        top1Interval: wilsonInterval(top1 / images, images),
        top5: top5 / images,
        top5Interval: wilsonInterval(top5 / images, images),
        loss: loss / images,
        perClass,
        confusion,
        calibration: reliability.result(),
        ...coverage.result(),
      };
    },
  };
}

/** The share that is right, and its 95 % interval; undefined of none. */
const shareOf = (right: number, images: number): Pick<ClassMetrics, "accuracy" | "interval"> =>
  images ? { accuracy: right / images, interval: wilsonInterval(right / images, images) } : { accuracy: undefined, interval: undefined };

/** The first of equal ones. */
export const indexOfLargest = (values: Float64Array): number => values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
