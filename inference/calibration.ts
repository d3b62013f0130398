import { FivecropError } from "../core/errors.ts";
import { softmax } from "./probabilities.ts";

/** The images whose highest probability lies in one part of [0, 1]. */
export interface ReliabilityBin {
  readonly images: number;
  /** Their mean highest probability; `undefined` where there are none. */
  readonly confidence: number | undefined;
  /** The share of them that is right. */
  readonly accuracy: number | undefined;
}

/** How far probabilities are what they say: of the answers given with 80 %, are 80 % right? */
export interface Calibration {
  /** Σ over bins of images / all images · |accuracy − confidence|, of [0, 1]. */
  readonly expectedCalibrationError: number;
  /** Parts of (0, 1] of equal width, from the least confident. */
  readonly bins: readonly ReliabilityBin[];
}

export const RELIABILITY_BINS = 15;

/** Counts answers for a reliability diagram and the expected calibration error. @see https://arxiv.org/abs/1706.04599 (Guo et al., 2017) */
export function createReliability(): { add(confidence: number, isRight: boolean): void; result(): Calibration } {
  const bins = Array.from({ length: RELIABILITY_BINS }, () => ({ images: 0, confidence: 0, right: 0 }));
  return {
    add(confidence, isRight) {
      const bin = bins[Math.min(RELIABILITY_BINS, Math.max(1, Math.ceil(confidence * RELIABILITY_BINS))) - 1];
      bin.images++;
      bin.confidence += confidence;
      if (isRight) bin.right++;
    },
    result() {
      const all = bins.reduce((sum, { images }) => sum + images, 0);
      return {
        expectedCalibrationError: bins.reduce((sum, { right, confidence }) => sum + Math.abs(right - confidence), 0) / all,
        bins: bins.map(({ images, confidence, right }) => ({
          images,
          confidence: images ? confidence / images : undefined,
          accuracy: images ? right / images : undefined,
        })),
      };
    },
  };
}

/** The 97.5 % point of the normal distribution. */
const Z = 1.959963984540054;

/**
 * The 95 % interval of a share that was found among n, by Wilson: it stays in [0, 1] and means something for a few images and for shares near 0 and 1.
 * (p + z²/2n ± z √(p (1 − p) / n + z²/4n²)) / (1 + z²/n)
 * @see https://doi.org/10.1080/01621459.1927.10502953
 */
export function wilsonInterval(share: number, n: number): readonly [low: number, high: number] {
  const square = (Z * Z) / n;
  const middle = (share + square / 2) / (1 + square);
  const reach = (Z * Math.sqrt((share * (1 - share)) / n + square / (4 * n))) / (1 + square);
  return [share === 0 ? 0 : middle - reach, share === 1 ? 1 : middle + reach];
}

/** softmax(ln p / T): what the logits divided by T would have given, since ln p are the logits but for a constant. */
export const temper = (probabilities: Float64Array, temperature: number): Float64Array =>
  temperature === 1 ? probabilities : softmax(logarithms(probabilities).map((x) => x / temperature));

/** ln p, finite also where p is too small for a number. */
export const logarithms = (probabilities: ArrayLike<number>): Float64Array =>
  Float64Array.from(probabilities, (p) => Math.log(Math.max(p, Number.MIN_VALUE)));

/** What a network said of one image: ln p of every class, for each view, at temperature 1. */
export interface UntemperedAnswer {
  readonly views: readonly ArrayLike<number>[];
  /** The true class. */
  readonly label: number;
}

/** The probability of the true class at a temperature: the mean over the views. */
function likelihood({ views, label }: UntemperedAnswer, temperature: number): number {
  const sum = views.reduce((all, logits) => {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < logits.length; k++) largest = Math.max(largest, logits[k]);
    let total = 0;
    for (let k = 0; k < logits.length; k++) total += Math.exp((logits[k] - largest) / temperature);
    return all + Math.exp((logits[label] - largest) / temperature) / total;
  }, 0);
  return sum / views.length;
}

/** The mean of −ln p(class), each view's logits divided by the temperature before its softmax, then averaged. */
export const lossAt = (answers: readonly UntemperedAnswer[], temperature: number): number =>
  answers.reduce((sum, answer) => sum - Math.log(Math.max(likelihood(answer, temperature), Number.MIN_VALUE)), 0) / answers.length;

/** Where a temperature is looked for. */
const [LOWEST, HIGHEST] = [0.05, 20];
/** Of ln T. */
const PRECISION = 1e-6;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** A temperature, or why there is no best one. */
export type FoundTemperature = { readonly temperature: number } | { readonly none: string };

/**
 * The temperature with the smallest mean loss, by golden section on ln T. With one view the loss is convex in 1 / T, so there is one minimum.
 * There is none between 0.05 and 20 where every answer is right, or they say nothing.
 * @see https://arxiv.org/abs/1706.04599
 */
export function findTemperature(answers: readonly UntemperedAnswer[]): FoundTemperature {
  const loss = (logarithm: number): number => lossAt(answers, Math.exp(logarithm));
  let [low, high] = [Math.log(LOWEST), Math.log(HIGHEST)];
  let [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
  let [atLeft, atRight] = [loss(left), loss(right)];
  while (high - low > PRECISION) {
    if (atLeft <= atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - GOLDEN * (high - low);
      atLeft = loss(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + GOLDEN * (high - low);
      atRight = loss(right);
    }
  }
  const temperature = Math.exp((low + high) / 2);
  if (temperature < LOWEST * 1.01 || temperature > HIGHEST / 1.01)
    return {
      none:
        `no temperature between ${LOWEST} and ${HIGHEST} has the smallest loss on these ${answers.length} images: it goes on falling towards ${temperature < 1 ? 0 : "infinity"}, ` +
        `as it does where ${temperature < 1 ? "every answer is right" : "the answers say nothing of the classes"}.`,
    };
  return { temperature };
}

/** The same. @throws FivecropError where there is none. */
export function fitTemperature(answers: readonly UntemperedAnswer[]): number {
  const found = findTemperature(answers);
  if ("none" in found) throw new FivecropError(`${found.none} To fix: calibrate on more images, which the network does not know.`);
  return found.temperature;
}
