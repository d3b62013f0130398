import type { StepResult } from "./engine.ts";
import { countCorrect } from "./metrics.ts";
import type { Measured } from "./validate.ts";

/** What was measured over some steps: those of an epoch. */
export interface EpochRecord {
  /** Counted from 1. */
  readonly epoch: number;
  /** Steps done since the run's start. */
  readonly step: number;
  /** Means over the epoch's images as they were trained on: each by the weights before its step. */
  readonly trainingLoss: number;
  /** Of mixed images: how often the larger share's class was told. */
  readonly trainingAccuracy: number;
  /** By the weights after the epoch; absent without validation data. */
  readonly validationLoss?: number;
  readonly validationAccuracy?: number;
  /** Of the epoch's last step. */
  readonly learningRate: number;
  /** Training and validation, in wall time. */
  readonly seconds: number;
}

/** The same over the steps since the log before it. `epoch` counts epochs done: 1.25 is a quarter of the second. */
export type LogRecord = EpochRecord;

/** Sums over some images that were trained on. */
export interface Running {
  readonly loss: number;
  readonly correct: number;
  readonly images: number;
  readonly seconds: number;
}

/** Where the loop stands: with it and the engine's state a run goes on as if it had not been stopped. */
export interface Progress {
  /** The epoch under way, counted from 0. */
  readonly epoch: number;
  /** The epoch's next batch. */
  readonly batch: number;
  /** Of the epoch under way. */
  readonly running: Running;
  /** Since the last log. */
  readonly sinceLog: Running;
  readonly history: readonly EpochRecord[];
  readonly logs: readonly LogRecord[];
}

export const NOTHING_SEEN: Running = { loss: 0, correct: 0, images: 0, seconds: 0 };
export const AT_THE_START: Progress = { epoch: 0, batch: 0, running: NOTHING_SEEN, sinceLog: NOTHING_SEEN, history: [], logs: [] };

/** Of one step. */
export const sumsOf = ({ loss, logits }: StepResult, labels: Uint16Array, seconds: number): Running => ({
  loss: loss * labels.length,
  correct: countCorrect(logits, labels),
  images: labels.length,
  seconds,
});

export const add = (a: Running, b: Running): Running => ({
  loss: a.loss + b.loss,
  correct: a.correct + b.correct,
  images: a.images + b.images,
  seconds: a.seconds + b.seconds,
});

/** @param at where in the run, and at which rate. */
export const toRecord = (
  running: Running,
  { validation, seconds }: Measured,
  at: Pick<EpochRecord, "epoch" | "step" | "learningRate">,
): EpochRecord => ({
  ...at,
  trainingLoss: running.loss / running.images,
  trainingAccuracy: running.correct / running.images,
  ...(validation && { validationLoss: validation.loss, validationAccuracy: validation.accuracy }),
  seconds: running.seconds + seconds,
});

/** What decides which epoch is best: validation accuracy, or training accuracy where there is no validation data. */
export const scoreOf = ({ validationAccuracy, trainingAccuracy }: EpochRecord): number => validationAccuracy ?? trainingAccuracy;

/** The epoch with the highest score, the earlier of equal ones. */
export const bestOf = (history: readonly EpochRecord[]): EpochRecord | undefined =>
  history.reduce<EpochRecord | undefined>((best, record) => (best && scoreOf(best) >= scoreOf(record) ? best : record), undefined);

/** The best epoch lies at least `patience` epochs back. */
export const stoppedEarly = (history: readonly EpochRecord[], patience: number | undefined): boolean =>
  patience !== undefined && history.length > 0 && history.length - bestOf(history)!.epoch >= patience;
