import { random } from "../../../core/random.ts";
import { temper } from "../../../inference/calibration.ts";
import { softmax } from "../../../inference/probabilities.ts";
import { createTally, indexOfLargest } from "../../../inference/tally.ts";
import { createImage } from "../../../pipeline/image.ts";
import type { EpochRecord } from "../../../training/progress.ts";
import type { Answered } from "../../../training/report/measure.ts";
import type { ReportContent } from "../../../training/report/report-page.ts";
import { thumbnailOf } from "../../../training/report/thumbnail.node.ts";
import { DEFAULTS } from "../../../training/run-config.ts";

export interface MadeOptions {
  readonly classes: number;
  readonly images: number;
  readonly temperature?: number;
  readonly norms?: number;
  readonly epochs?: number;
  /** So many within each epoch, and as many in one that is not finished. */
  readonly logs?: number;
  /** Of the pictures. */
  readonly size?: readonly [width: number, height: number, channels: 1 | 3];
}

export const logsOf = (epochs: number, each: number): EpochRecord[] =>
  historyOf(epochs * each).map((record) => ({ ...record, epoch: record.epoch / (each + 1), seconds: record.seconds / (each + 1) }));

export function historyOf(epochs: number, gain = 1): EpochRecord[] {
  return Array.from({ length: epochs }, (_, i) => ({
    epoch: i + 1,
    step: (i + 1) * 80,
    trainingLoss: 2 / (1 + gain * i),
    trainingAccuracy: 1 - 0.8 / (1 + gain * i),
    validationLoss: 2.1 / (1 + 0.8 * gain * i),
    validationAccuracy: 1 - 0.82 / (1 + 0.8 * gain * i),
    learningRate: 0.01 * 0.9 ** i,
    seconds: 12.5,
  }));
}

/** A report of answers that are drawn by a seed: some classes are hard, and some are taken for their neighbours. */
export async function madeContent(options: MadeOptions): Promise<ReportContent> {
  const { classes, images, temperature = 1, norms = 3, epochs = 8, logs = 0, size = [28, 28, 1] } = options;
  const source = random(classes);
  const labels = Array.from({ length: classes }, (_, k) => `class <${k}> & "${"long ".repeat(k % 4)}name"`);
  const [tally, untempered] = [createTally(classes), createTally(classes)];
  const answers: Answered[] = [];
  for (let index = 0; index < images; index++) {
    const truth = index % classes;
    const logits = Array.from({ length: classes }, () => 1.5 * source.normal());
    logits[truth] += 4 + Math.log(classes) - (truth % 7) / 2;
    logits[(truth + 1) % classes] += 3;
    const raw = softmax(logits);
    const probabilities = temper(raw, temperature);
    untempered.add(raw, truth);
    tally.add(probabilities, truth);
    const answer = indexOfLargest(probabilities);
    answers.push({ index, truth, answer, confidence: probabilities[answer] });
  }
  const picture = async (answer: Answered) => {
    const [width, height, channels] = size;
    const noise = random(answer.index);
    const data = Uint8Array.from({ length: width * height * channels }, (_, i) => (i + noise.integer(80) + 40 * answer.truth) % 256);
    return { ...answer, thumbnail: await thumbnailOf(createImage(width, height, channels, data)) };
  };
  const mistakes = answers.filter(({ truth, answer }) => truth !== answer).slice(0, 24);
  const shown = answers.slice(0, 36);
  return {
    config: {
      ...DEFAULTS,
      model: "made-net",
      data: "made-data",
      epochs,
      augmentations: [{ kind: "flip" }, { kind: "random-crop", padding: 4 }],
    },
    logs: logsOf(epochs + 1, logs),
    environment: { fivecrop: "0.1.0", platform: "linux x64" },
    started: "2024-05-06T07:08:09.000Z",
    parameters: 1_234_567,
    trainingImages: 40 * images,
    validationImages: 10 * images,
    history: historyOf(epochs),
    weights: { epoch: epochs, isBest: true },
    split: "test",
    measured: {
      images,
      unreadable: [],
      of: 4 * images,
      seconds: 12,
      temperature,
      metrics: tally.result(labels),
      ...(temperature !== 1 && { untempered: untempered.result(labels) }),
      shown,
      mistakes,
    },
    shown: await Promise.all(shown.map(picture)),
    mistakes: await Promise.all(mistakes.map(picture)),
    norms: Array.from({ length: norms }, (_, i) => {
      const values = (middle: number): Float32Array => Float32Array.from({ length: 32 }, () => middle + 0.2 * source.normal());
      return { name: `features.denseblock${1 + (i >> 4)}.denselayer${i}.norm`, scale: values(1), shift: values(0) };
    }),
  };
}
