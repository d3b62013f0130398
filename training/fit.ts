import { FivecropError } from "../core/errors.ts";
import type { AugmentationSpec } from "../pipeline/augmentations/index.ts";
import type { Loader } from "../pipeline/loader.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { checkFit } from "./check-fit.ts";
import { type Checkpoint, type CheckpointStore, memoryCheckpoints } from "./checkpoint.ts";
import type { TrainingEngine } from "./engine.ts";
import { batchPlan, planEpochs, type SizeStage, totalSteps, validationPlan } from "./epoch-plan.ts";
import {
  AT_THE_START,
  add,
  bestOf,
  type EpochRecord,
  type LogRecord,
  NOTHING_SEEN,
  type Running,
  stoppedEarly,
  sumsOf,
  toRecord,
} from "./progress.ts";
import { runDataOf } from "./run-data.ts";
import { parseSchedule, type Schedule } from "./schedules.ts";
import { type Measured, validate } from "./validate.ts";

export interface FitData {
  readonly training: Loader;
  /** Decides which epoch is best. */
  readonly validation?: Loader;
}

export interface FitOptions {
  readonly preprocess: PreprocessSpec;
  readonly epochs: number;
  readonly batchSize: number;
  /** The base rate, multiplied by the schedule's factor. */
  readonly learningRate: number;
  readonly schedule?: Schedule;
  readonly seed?: number;
  readonly augmentations?: readonly AugmentationSpec[];
  /** In [0, 1). */
  readonly labelSmoothing?: number;
  /** The first epochs on images of other sizes; the rest, and every validation, at the preprocessing's own. */
  readonly sizes?: readonly SizeStage[];
  /** Validates and records every so many steps as well, counted from the run's start. The best epoch is chosen among epochs all the same. */
  readonly logEvery?: number;
  /** Stop after this many epochs without a better one. */
  readonly patience?: number;
  /** Gets `last` after every epoch and at an interruption, and `best`. In memory where it is left out. */
  readonly checkpoints?: CheckpointStore;
  /** Go on from here. */
  readonly resume?: Checkpoint;
  /** Aborted: the step or the validation batch under way is finished, the state saved, and the loop ends. */
  readonly signal?: AbortSignal;
}

export type FitEvent =
  | {
      readonly kind: "start";
      readonly epochs: number;
      /** Of the whole run, and how many of them are done. */
      readonly steps: number;
      readonly step: number;
      /** What of the run's work, images times their pixels, is done: [0, 1]. */
      readonly done: number;
    }
  | {
      readonly kind: "step";
      /** Counted from 1, in the epoch and in the run. */
      readonly epoch: number;
      readonly batch: number;
      readonly step: number;
      /** What of the run's work, images times their pixels, is done: [0, 1]. */
      readonly done: number;
      /** Of this epoch. */
      readonly batches: number;
      /** Of the batch, before its update. */
      readonly loss: number;
      readonly accuracy: number;
      /** Means over the epoch so far. */
      readonly runningLoss: number;
      readonly runningAccuracy: number;
      readonly learningRate: number;
      readonly images: number;
      /** Wall time of the step, with the wait for its images. */
      readonly seconds: number;
    }
  | { readonly kind: "log"; readonly record: LogRecord; readonly logs: readonly LogRecord[] }
  | { readonly kind: "epoch"; readonly record: EpochRecord; readonly isBest: boolean; readonly history: readonly EpochRecord[] }
  | {
      readonly kind: "end";
      readonly reason: "finished" | "early stop" | "interrupted";
      readonly history: readonly EpochRecord[];
      readonly logs: readonly LogRecord[];
      readonly best?: EpochRecord;
    };

/**
 * Trains, and says how it goes: `for await (const event of fit(engine, data, options))`. The same loop drives the command line, a script and a page.
 * The state after each step depends on the options and the seed alone, wherever the run was stopped and resumed.
 * @throws UsageError for an option out of range. FivecropError where the loss is not finite any more, or the checkpoint is of another run.
 */
export async function* fit(engine: TrainingEngine, data: FitData, options: FitOptions): AsyncGenerator<FitEvent, void, undefined> {
  const { epochs, batchSize, learningRate, schedule = parseSchedule("constant"), seed = 0, logEvery, patience, signal } = options;
  const { checkpoints = memoryCheckpoints() } = options;
  checkFit(engine, data, options);
  const plan = planEpochs(data.training.length, options);
  const steps = totalSteps(plan);
  let at = options.resume?.progress ?? AT_THE_START;
  const stepsDone = (): number => (at.epoch < epochs ? plan[at.epoch].firstStep + at.batch : steps);
  const workDone = (): number => {
    if (at.epoch >= epochs) return 1;
    const { from, to, steps: ofEpoch } = plan[at.epoch];
    return from + ((to - from) * at.batch) / ofEpoch;
  };
  const rateOf = (step: number): number => learningRate * schedule.factor({ step, epoch: at.epoch }, { steps, epochs });
  const save = async (...names: readonly string[]): Promise<void> => {
    const about = { network: engine.network.name, optimizer: engine.optimizer.name, batchSize, ...runDataOf(data) };
    await checkpoints.save(names, { ...about, training: await engine.state(), progress: at });
  };
  const end = (reason: Extract<FitEvent, { kind: "end" }>["reason"]): FitEvent => {
    const { history, logs } = at;
    return { kind: "end", reason, history, logs, best: bestOf(history) };
  };
  const interrupted = async (): Promise<FitEvent> => {
    await save("last");
    return end("interrupted");
  };

  /** @returns undefined where the signal came in between. */
  async function measure(): Promise<Measured | undefined> {
    const started = performance.now();
    const validation = data.validation && (await validate(engine, data.validation, validationPlan(options), signal));
    if (data.validation && !validation) return undefined;
    if (validation) needFinite("validation loss", validation.loss, stepsDone(), rateOf(stepsDone() - 1));
    return { validation, seconds: (performance.now() - started) / 1e3 };
  }
  const recordOf = (running: Running, epoch: number, measured: Measured): EpochRecord =>
    toRecord(running, measured, { epoch, step: stepsDone(), learningRate: rateOf(stepsDone() - 1) });
  /** Until its log is written, something was seen since the log before: a stop in between loses nothing. */
  const isLogDue = (): boolean => logEvery !== undefined && at.sinceLog.images > 0 && stepsDone() % logEvery === 0;
  const log = (measured: Measured): FitEvent => {
    const record = recordOf(at.sinceLog, at.epoch + at.batch / plan[at.epoch].steps, measured);
    at = { ...at, sinceLog: NOTHING_SEEN, logs: [...at.logs, record] };
    return { kind: "log", record, logs: at.logs };
  };
  /** A log within an epoch; the one at its end shares the epoch's validation. @returns whether the run goes on. */
  async function* logWithin(): AsyncGenerator<FitEvent, boolean, undefined> {
    if (at.batch === plan[at.epoch].steps || !isLogDue()) return true;
    const measured = await measure();
    if (!measured) return false;
    at = { ...at, running: { ...at.running, seconds: at.running.seconds + measured.seconds } };
    yield log(measured);
    return true;
  }

  await engine.initialize(options.resume?.training ?? { seed });
  yield { kind: "start", epochs, steps, step: stepsDone(), done: workDone() };
  while (at.epoch < epochs && !stoppedEarly(at.history, patience)) {
    const epoch = plan[at.epoch];
    if (!(yield* logWithin())) return yield await interrupted();
    let started = performance.now();
    for await (const { images, targets, labels } of data.training.batches(batchPlan(options, epoch, at.batch))) {
      const rate = rateOf(stepsDone());
      const [result] = await engine.train([{ images, targets }], [rate]);
      needFinite("loss", result.loss, stepsDone() + 1, rate);
      const seen = sumsOf(result, labels, (performance.now() - started) / 1e3);
      at = { ...at, batch: at.batch + 1, running: add(at.running, seen), sinceLog: add(at.sinceLog, seen) };
      yield {
        kind: "step",
        epoch: at.epoch + 1,
        batch: at.batch,
        batches: epoch.steps,
        step: stepsDone(),
        done: workDone(),
        loss: result.loss,
        accuracy: seen.correct / seen.images,
        runningLoss: at.running.loss / at.running.images,
        runningAccuracy: at.running.correct / at.running.images,
        learningRate: rate,
        images: labels.length,
        seconds: seen.seconds,
      };
      if (signal?.aborted || !(yield* logWithin())) return yield await interrupted();
      started = performance.now();
    }
    const measured = await measure();
    if (!measured) return yield await interrupted();
    if (isLogDue()) yield log(measured);
    const record = recordOf(at.running, at.epoch + 1, measured);
    at = { ...at, epoch: at.epoch + 1, batch: 0, running: NOTHING_SEEN, history: [...at.history, record] };
    const isBest = bestOf(at.history) === record;
    await save(...(isBest ? ["best", "last"] : ["last"]));
    yield { kind: "epoch", record, isBest, history: at.history };
  }
  yield end(at.epoch < epochs ? "early stop" : "finished");
}

/** @param step counted from 1. */
function needFinite(what: string, loss: number, step: number, rate: number): void {
  if (Number.isFinite(loss)) return;
  throw new FivecropError(
    `the ${what} is ${loss} at step ${step}, with the learning rate ${rate}: the training has diverged. ` +
      `To fix: lower the learning rate (try ${+(rate / 10).toPrecision(2)}), or start with a warm-up (--schedule …+warmup:500/step).`,
  );
}
