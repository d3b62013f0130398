import { FivecropError, UsageError } from "../core/errors.ts";
import { classCount } from "../models/network.ts";
import type { AugmentationSpec } from "../pipeline/augmentations/index.ts";
import { type BatchPlan, batchCount, checkPlan } from "../pipeline/batches.ts";
import type { Loader } from "../pipeline/loader.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { type Checkpoint, type CheckpointStore, memoryCheckpoints } from "./checkpoint.ts";
import type { StepResult, TrainingEngine } from "./engine.ts";
import { countCorrect, crossEntropy } from "./metrics.ts";
import { AT_THE_START, bestOf, type EpochRecord, NOTHING_SEEN, type Progress, type Running } from "./progress.ts";
import { parseSchedule, type Schedule } from "./schedules.ts";

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
  /** Stop after this many epochs without a better one. */
  readonly patience?: number;
  /** Gets `last` after every epoch and at an interruption, and `best`. In memory where it is left out. */
  readonly checkpoints?: CheckpointStore;
  /** Go on from here. */
  readonly resume?: Checkpoint;
  /** Aborted: the step under way is finished, the state saved, and the loop ends. */
  readonly signal?: AbortSignal;
}

export type FitEvent =
  | { readonly kind: "start"; readonly epochs: number; readonly stepsPerEpoch: number; readonly step: number }
  | {
      readonly kind: "step";
      /** Counted from 1, in the epoch and in the run. */
      readonly epoch: number;
      readonly batch: number;
      readonly step: number;
      readonly loss: number;
      /** Means over the epoch so far. */
      readonly runningLoss: number;
      readonly runningAccuracy: number;
      readonly learningRate: number;
      readonly images: number;
    }
  | { readonly kind: "epoch"; readonly record: EpochRecord; readonly isBest: boolean; readonly history: readonly EpochRecord[] }
  | {
      readonly kind: "end";
      readonly reason: "finished" | "early stop" | "interrupted";
      readonly history: readonly EpochRecord[];
      readonly best?: EpochRecord;
    };

/**
 * Trains, and says how it goes: `for await (const event of fit(engine, data, options))`. The same loop drives the command line, a script and a page.
 * The state after each step depends on the options and the seed alone, wherever the run was stopped and resumed.
 * @throws UsageError for an option out of range. FivecropError where the loss is not finite any more, or the checkpoint is of another run.
 */
export async function* fit(engine: TrainingEngine, data: FitData, options: FitOptions): AsyncGenerator<FitEvent, void, undefined> {
  const {
    epochs,
    batchSize,
    learningRate,
    schedule = parseSchedule("constant"),
    seed = 0,
    checkpoints = memoryCheckpoints(),
    signal,
  } = options;
  checkFit(engine, data, options);
  const stepsPerEpoch = batchCount(data.training.length, batchSize);
  const plan = (epoch: number, firstBatch: number): BatchPlan => planOf(options, epoch, firstBatch);
  const save = async (name: string, progress: Progress): Promise<void> =>
    checkpoints.save(name, {
      network: engine.network.name,
      optimizer: engine.optimizer.name,
      images: data.training.length,
      batchSize,
      training: await engine.state(),
      progress,
    });

  await engine.initialize(options.resume?.training ?? { seed });
  let { epoch, batch, running, history } = options.resume?.progress ?? AT_THE_START;
  yield { kind: "start", epochs, stepsPerEpoch, step: epoch * stepsPerEpoch + batch };

  for (; epoch < epochs; epoch++, batch = 0, running = NOTHING_SEEN) {
    if (stoppedEarly(history, options.patience)) break;
    let started = performance.now();
    let rate = learningRate * schedule.factor(epoch * stepsPerEpoch + Math.max(0, batch - 1), stepsPerEpoch, epochs);
    for await (const { images, targets, labels } of data.training.batches(plan(epoch, batch))) {
      const step = epoch * stepsPerEpoch + batch;
      rate = learningRate * schedule.factor(step, stepsPerEpoch, epochs);
      const [result] = await engine.train([{ images, targets }], [rate]);
      needFinite("loss", result.loss, step, rate);
      batch++;
      running = added(running, result, labels, performance.now() - started);
      started = performance.now();
      yield {
        kind: "step",
        epoch: epoch + 1,
        batch,
        step: step + 1,
        loss: result.loss,
        runningLoss: running.loss / running.seen,
        runningAccuracy: running.correct / running.seen,
        learningRate: rate,
        images: labels.length,
      };
      if (signal?.aborted) {
        await save("last", { epoch, batch, running, history });
        return yield { kind: "end", reason: "interrupted", history, best: bestOf(history) };
      }
    }
    const validation =
      data.validation && (await validate(engine, data.validation, { ...plan(epoch, 0), shuffle: false, augmentations: [] }));
    if (validation) needFinite("validation loss", validation.loss, (epoch + 1) * stepsPerEpoch - 1, rate);
    const record: EpochRecord = {
      epoch: epoch + 1,
      step: (epoch + 1) * stepsPerEpoch,
      trainingLoss: running.loss / running.seen,
      trainingAccuracy: running.correct / running.seen,
      ...(validation && { validationLoss: validation.loss, validationAccuracy: validation.accuracy }),
      learningRate: rate,
      seconds: (running.seconds + performance.now() - started) / 1e3,
    };
    history = [...history, record];
    const isBest = bestOf(history) === record;
    const progress: Progress = { epoch: epoch + 1, batch: 0, running: NOTHING_SEEN, history };
    if (isBest) await save("best", progress);
    await save("last", progress);
    yield { kind: "epoch", record, isBest, history };
  }
  yield { kind: "end", reason: epoch < epochs ? "early stop" : "finished", history, best: bestOf(history) };
}

/** Mean cross-entropy and accuracy of a data set, by the weights as they are. */
async function validate(
  engine: TrainingEngine,
  loader: Loader,
  plan: BatchPlan,
): Promise<{ readonly loss: number; readonly accuracy: number }> {
  let [loss, correct] = [0, 0];
  for await (const { images, labels } of loader.batches({ ...plan, labelSmoothing: 0 })) {
    const logits = await engine.predict(images);
    loss += crossEntropy(logits, labels);
    correct += countCorrect(logits, labels);
  }
  return { loss: loss / loader.length, accuracy: correct / loader.length };
}

const added = (running: Running, { loss, logits }: StepResult, labels: Uint16Array, milliseconds: number): Running => ({
  loss: running.loss + loss * labels.length,
  correct: running.correct + countCorrect(logits, labels),
  seen: running.seen + labels.length,
  seconds: running.seconds + milliseconds,
});

/** The best epoch lies at least `patience` epochs back. */
const stoppedEarly = (history: readonly EpochRecord[], patience: number | undefined): boolean =>
  patience !== undefined && history.length > 0 && history.length - bestOf(history)!.epoch >= patience;

function needFinite(what: string, loss: number, step: number, rate: number): void {
  if (Number.isFinite(loss)) return;
  throw new FivecropError(
    `the ${what} is ${loss} at step ${step + 1}, with the learning rate ${rate}: the training has diverged. ` +
      `To fix: lower the learning rate (try ${+(rate / 10).toPrecision(2)}), or start with a warm-up (--schedule …+warmup:500/step).`,
  );
}

const planOf = (
  { batchSize, seed = 0, preprocess, augmentations = [], labelSmoothing = 0 }: FitOptions,
  epoch: number,
  firstBatch: number,
): BatchPlan => ({
  batchSize,
  seed,
  epoch,
  shuffle: true,
  preprocess,
  augmentations,
  labelSmoothing,
  firstBatch,
});

/** What `fit` asks of its arguments, for who wants to know before anything is written. @throws UsageError, FivecropError */
export function checkFit(engine: TrainingEngine, { training, validation }: FitData, options: FitOptions): void {
  const { epochs, batchSize, learningRate, patience, resume } = options;
  const whole = (what: string, value: number) => {
    if (!(Number.isInteger(value) && value >= 1))
      throw new UsageError(`${what}: expected a whole number of at least 1, received ${value}.`);
  };
  whole("epochs", epochs);
  whole("batch size", batchSize);
  if (patience !== undefined) whole("patience", patience);
  if (!(learningRate > 0 && Number.isFinite(learningRate)))
    throw new UsageError(`learning rate: expected a number above 0, received ${learningRate}.`);
  if (batchSize > training.length)
    throw new UsageError(`batch size: expected at most the ${training.length} images there are to train on, received ${batchSize}.`);
  checkPlan(planOf(options, 0, 0), training.length);
  const classes = classCount(engine.network);
  for (const loader of [training, validation])
    if (loader && loader.classNames.length !== classes)
      throw new UsageError(`the network tells ${classes} classes apart, and the data set ${loader.name} has ${loader.classNames.length}.`);
  const taken = engine.network.graph.inputs[0].shape.slice(1);
  const given = [options.preprocess.channels, ...options.preprocess.crop];
  if (String(taken) !== String(given))
    throw new UsageError(`the network takes images of [C, H, W] = [${taken}], and the preprocessing makes them [${given}].`);
  if (resume) checkResume(resume, engine, training.length, options);
}

/** A run goes on only as it began: with the same network and optimizer, the same images in the same batches, the same seed. */
function checkResume(
  resume: Checkpoint,
  { network, optimizer }: TrainingEngine,
  images: number,
  { batchSize, seed = 0 }: FitOptions,
): void {
  const compared: readonly (readonly [what: string, then: string | number, now: string | number])[] = [
    ["network", resume.network, network.name],
    ["optimizer", resume.optimizer, optimizer.name],
    ["number of training images", resume.images, images],
    ["batch size", resume.batchSize, batchSize],
    ["seed", resume.training.seed, seed],
  ];
  const differing = compared.filter(([, then, now]) => then !== now);
  if (differing.length)
    throw new FivecropError(
      `the checkpoint is of another run: ${differing.map(([what, then, now]) => `${what}: expected ${now}, found ${then}`).join("; ")}. ` +
        "To fix: resume with the options and the data that it was made with.",
    );
}
