/** One finished epoch. */
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

/** Sums over the images seen in an epoch that is under way. */
export interface Running {
  readonly loss: number;
  readonly correct: number;
  readonly seen: number;
  readonly seconds: number;
}

/** Where the loop stands: with it and the engine's state a run goes on as if it had not been stopped. */
export interface Progress {
  /** The epoch under way, counted from 0. */
  readonly epoch: number;
  /** The epoch's next batch. */
  readonly batch: number;
  readonly running: Running;
  readonly history: readonly EpochRecord[];
}

export const NOTHING_SEEN: Running = { loss: 0, correct: 0, seen: 0, seconds: 0 };
export const AT_THE_START: Progress = { epoch: 0, batch: 0, running: NOTHING_SEEN, history: [] };

/** What decides which epoch is best: validation accuracy, or training accuracy where there is no validation data. */
export const scoreOf = ({ validationAccuracy, trainingAccuracy }: EpochRecord): number => validationAccuracy ?? trainingAccuracy;

/** The epoch with the highest score, the earlier of equal ones. */
export const bestOf = (history: readonly EpochRecord[]): EpochRecord | undefined =>
  history.reduce<EpochRecord | undefined>((best, record) => (best && scoreOf(best) >= scoreOf(record) ? best : record), undefined);
