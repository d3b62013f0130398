import { join } from "node:path";
import { writeWhole } from "../../core/atomic-file.node.ts";
import { FivecropError } from "../../core/errors.ts";
import { readInput } from "../../core/read-file.node.ts";
import { logarithms, type UntemperedAnswer } from "../../inference/calibration.ts";
import { loadClassifier } from "../../inference/classifier.node.ts";
import { matchClasses } from "../../inference/evaluate.ts";
import { withTemperature } from "../../inference/golden-samples.node.ts";
import { metadataOf } from "../../inference/model-contract.ts";
import { parseViews } from "../../pipeline/views.ts";
import { lockRun, RUN_FILES, readRunConfig, readRunSummary } from "../run-files.node.ts";
import { type DecodingEvent, prepareAgain } from "../run-parts.node.ts";
import { type RunCalibration, writeCalibration } from "./calibration-file.node.ts";
import { fitCalibration } from "./fit-calibration.ts";

export interface CalibrateOptions {
  /** The folder of all data sets. */
  readonly dataRoot: string;
  /** Pictures that cannot be read are an error, and not left out. */
  readonly strict?: boolean;
  /** Aborted: nothing is written. */
  readonly signal?: AbortSignal;
}

export type CalibrateEvent =
  | DecodingEvent
  | { readonly kind: "measuring"; readonly split: string; readonly done: number; readonly total: number; readonly imagesPerSecond: number }
  | ({ readonly kind: "calibrated"; readonly file: string } & RunCalibration);

/**
 * Fits a temperature to the answers of a run's `model.onnx` for its validation split, by the file's own views, and writes it into the file: its golden samples
 * are answered anew, `calibration.json` says what was found. A temperature that is there already is replaced.
 * @throws FivecropError where the run has no such file, its output is probabilities, or no temperature is best.
 */
export async function* calibrateRun(run: string, options: CalibrateOptions): AsyncGenerator<CalibrateEvent, void, undefined> {
  const unlock = await lockRun(run);
  try {
    yield* calibrate(run, options);
  } finally {
    await unlock();
  }
}

async function* calibrate(run: string, { dataRoot, strict, signal }: CalibrateOptions): AsyncGenerator<CalibrateEvent, void, undefined> {
  const config = await readRunConfig(run);
  const file = join(run, RUN_FILES.model);
  const model = await readInput(file, `cannot read ${file}`, `finish the run (train --resume ${run}), or export it (export ${run})`);
  const metadata = metadataOf(model, file);
  if (metadata?.outputKind !== "logits" && metadata?.outputKind !== "log-probabilities")
    throw new FivecropError(
      `${file}: a temperature divides logits or log-probabilities, and this file's output is ${metadata?.outputKind ?? "not said"}: ` +
        "it cannot be calibrated. To fix: train a network without a softmax at its end, or with a log-softmax.",
    );
  const epoch = metadata.training?.bestEpoch;
  if (epoch === undefined)
    throw new FivecropError(
      `${file} does not say of which epoch it is: it is not the run's best one. To fix: export it again (export ${run}).`,
    );
  const checkpoint = await readRunSummary(run, "best", config);
  const parts = yield* prepareAgain(config, checkpoint, { dataRoot, strict, signal });
  if (!parts) return;
  const { validation } = parts;
  const split = "validation";
  const classifier = await loadClassifier(model, { name: file, temperature: 1, threads: config.threads, workers: 0 });
  const { views } = classifier;
  const answers: UntemperedAnswer[] = [];
  try {
    const columns = matchClasses(classifier.labels, validation);
    const start = performance.now();
    const total = validation.length;
    while (answers.length < total) {
      const indices = Array.from({ length: Math.min(BATCH, total - answers.length) }, (_, i) => answers.length + i);
      const images = indices.map((index) => () => validation.image(index));
      const lists = await classifier.probabilities(images, parseViews(views));
      for (const [i, index] of indices.entries())
        answers.push({ views: lists[i].map((list) => Float32Array.from(logarithms(list))), label: columns[validation.labels[index]] });
      const done = answers.length;
      yield { kind: "measuring", split, done, total, imagesPerSecond: done / Math.max(1e-9, (performance.now() - start) / 1e3) };
      if (signal?.aborted) return;
    }
  } finally {
    await classifier.dispose();
  }
  const calibration = fitCalibration(answers, { epoch, split, views });
  if ("none" in calibration)
    throw new FivecropError(`${calibration.none} To fix: calibrate on more images, which the network does not know.`);
  const calibrated = await withTemperature(model, calibration.temperature, file);
  await writeWhole(file, calibrated);
  await writeCalibration(run, calibration);
  yield { kind: "calibrated", file, ...calibration };
}

/** Images at a time. */
const BATCH = 64;
