import { existsSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../../core/atomic-file.node.ts";
import { FivecropError, messageOf } from "../../core/errors.ts";
import { shellWord } from "../../core/text.ts";
import { forMany, loadClassifier } from "../../inference/classifier.node.ts";
import { parameterCount } from "../../models/network.ts";
import { bounded, type Dataset } from "../../pipeline/dataset.ts";
import { datasetEntry, openDataset } from "../../pipeline/datasets/index.ts";
import { checkpointFile } from "../checkpoint.node.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { epochOf, modelFileOf } from "../export-run.node.ts";
import type { EpochRecord } from "../progress.ts";
import { lockRun, RUN_FILES, type RunAbout, readRunAbout, readRunCheckpoint, readRunSummary } from "../run-files.node.ts";
import { type PrepareEvent, prepareAgain, type RunParts, unreadableText } from "../run-parts.node.ts";
import { inferenceWeights } from "../weight-average.ts";
import { temperatureOf } from "./calibration-file.node.ts";
import { type Answered, type Measured, MOST_IMAGES, measure } from "./measure.ts";
import { normLayers } from "./norms.ts";
import type { AnsweredPicture } from "./pictures.ts";
import { reportPage } from "./report-page.ts";
import { thumbnailOf } from "./thumbnail.node.ts";

export interface ReportOptions {
  /** The folder of all data sets. */
  readonly dataRoot: string;
  /** What to measure on; `test` where the data set has one, else `validation`. */
  readonly split?: string;
  /** The most images to measure on, 10,000; of more, so many are drawn by a seed. */
  readonly limit?: number;
  /** Pictures that cannot be read are an error, and not left out. */
  readonly strict?: boolean;
  /** Aborted: nothing is written. */
  readonly signal?: AbortSignal;
}

/** The numbers of a report, as they stand in the run's `evaluation.json`. */
export interface RunEvaluation {
  readonly split: string;
  /** The epoch, from 1, whose weights these are. */
  readonly epoch: number;
  readonly images: number;
  /** Images of the whole split. */
  readonly of: number;
  /** Pictures that cannot be read, which count nowhere. */
  readonly unreadable: number;
  readonly top1: number;
  readonly top1Interval: readonly [low: number, high: number];
  readonly top5: number;
  readonly loss: number;
  readonly expectedCalibrationError: number;
  readonly temperature: number;
  readonly seconds: number;
}

export type ReportEvent =
  | Extract<PrepareEvent, { kind: "decoding" | "left out" }>
  | { readonly kind: "measuring"; readonly split: string; readonly done: number; readonly total: number; readonly imagesPerSecond: number }
  | ({ readonly kind: "reported"; readonly file: string; readonly bytes: number; readonly note?: string } & RunEvaluation);

interface Measuring {
  readonly dataset: Dataset;
  readonly split: string;
  /** Why it is not the test split. */
  readonly note?: string;
}

/**
 * Makes a run's `report.html` and `evaluation.json` from its other files and its data: of the best epoch's weights, or of the last ones where no epoch was finished.
 * @throws UsageError, FivecropError where there is no run, no checkpoint of it yet, or its data cannot be read.
 */
export async function* reportRun(run: string, options: ReportOptions): AsyncGenerator<ReportEvent, void, undefined> {
  const unlock = await lockRun(run);
  try {
    yield* makeReport(run, options);
  } finally {
    await unlock();
  }
}

/** The same for who holds the run's lock already. */
export async function* makeReport(run: string, options: ReportOptions): AsyncGenerator<ReportEvent, void, undefined> {
  const { dataRoot, strict, limit = MOST_IMAGES, signal } = options;
  const about = await readRunAbout(run);
  const { config } = about;
  const { history, logs } = (await readRunSummary(run, "last", config)).progress;
  const isBest = existsSync(join(run, checkpointFile("best")));
  const checkpoint = await readRunCheckpoint(run, isBest ? "best" : "last", config);
  const parts = yield* prepareAgain(config, checkpoint, { dataRoot, strict, signal });
  if (!parts) return;
  const { dataset: whole, split, note } = await chooseSplit(config.data, parts, options);
  const dataset = bounded(whole, limit);
  const epoch = epochOf(checkpoint);
  const temperature = await temperatureOf(run, epoch);

  const model = modelFileOf({ checkpoint, config, parts }, "onnxruntime");
  const parallel = forMany(model, { files: whole.file !== undefined });
  const classifier = await loadClassifier(model, { ...parallel, name: run, threads: config.threads });
  let measured: Measured | undefined;
  try {
    for await (const event of measure(classifier, dataset, { temperature, of: whole.length, files: classifier })) {
      if (event.kind === "progress") yield { ...event, kind: "measuring", split };
      else measured = event.measured;
      if (signal?.aborted) return;
    }
  } finally {
    await classifier.dispose();
  }
  if (!measured) throw new FivecropError(`${run}: nothing was measured on ${config.data}, ${split}`);

  const { unreadable } = measured;
  if (strict && unreadable.length) throw new FivecropError(unreadableText(config.data, split, unreadable));
  if (unreadable.length) yield { kind: "left out", split, images: dataset.length, unreadable };

  const page = reportPage({
    ...factsOf(about, checkpoint, parts, history),
    logs,
    weights: { epoch, isBest },
    ...(!existsSync(join(run, RUN_FILES.model)) && { unfinished: `fivecrop train --resume ${shellWord(run)}` }),
    split,
    splitNote: note,
    measured,
    shown: await withThumbnails(measured.shown, dataset),
    mistakes: await withThumbnails(measured.mistakes, dataset),
  });
  const evaluation = evaluationOf(measured, split, epoch);
  const file = join(run, RUN_FILES.report);
  await writeWhole(join(run, RUN_FILES.evaluation), `${JSON.stringify(evaluation, null, 2)}\n`);
  await writeWhole(file, page);
  yield { kind: "reported", file, bytes: Buffer.byteLength(page), ...(note !== undefined && { note }), ...evaluation };
}

const factsOf = (about: RunAbout, { training }: Checkpoint, parts: RunParts, history: readonly EpochRecord[]) => ({
  ...about,
  history,
  parameters: parameterCount(parts.network),
  trainingImages: parts.training.length,
  validationImages: parts.validation.length,
  norms: normLayers(parts.network.graph, inferenceWeights(training)),
});

function evaluationOf({ images, of, unreadable, seconds, temperature, metrics }: Measured, split: string, epoch: number): RunEvaluation {
  const { top1, top1Interval, top5, loss, calibration } = metrics;
  const { expectedCalibrationError } = calibration;
  return {
    split,
    epoch,
    images,
    of,
    unreadable: unreadable.length,
    top1,
    top1Interval,
    top5,
    loss,
    expectedCalibrationError,
    temperature,
    seconds,
  };
}

/** What was asked for, else the test split; where that cannot be had the validation split, and why. @throws FivecropError with `strict` where it cannot be read */
async function chooseSplit(
  data: string,
  { validation }: RunParts,
  { dataRoot: root, split: asked, strict }: ReportOptions,
): Promise<Measuring> {
  if (asked === "validation") return { dataset: validation, split: asked };
  if (asked !== undefined) return { dataset: await openDataset({ name: data, root, split: asked }), split: asked };
  const but = "these numbers are of the validation split, by which the best epoch was chosen";
  const { splits } = await datasetEntry(data);
  if (!Object.hasOwn(splits, "test")) return { dataset: validation, split: "validation", note: `${data} has no test split: ${but}.` };
  try {
    return { dataset: await openDataset({ name: data, root, split: "test" }), split: "test" };
  } catch (error) {
    if (strict || !(error instanceof FivecropError)) throw error;
    return { dataset: validation, split: "validation", note: `The test split cannot be read, so ${but}. ${messageOf(error)}` };
  }
}

async function withThumbnails(answers: readonly Answered[], dataset: Dataset): Promise<AnsweredPicture[]> {
  const pictures: AnsweredPicture[] = [];
  for (const answer of answers) pictures.push({ ...answer, thumbnail: await thumbnailOf(await dataset.image(answer.index)) });
  return pictures;
}
