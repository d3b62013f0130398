import type { EpochRecord, LogRecord } from "../progress.ts";

type Column = readonly [heading: string, cell: (record: EpochRecord) => number | undefined];

const COLUMNS: readonly Column[] = [
  ["epoch", (r) => r.epoch],
  ["training_loss", (r) => r.trainingLoss],
  ["training_accuracy", (r) => r.trainingAccuracy],
  ["validation_loss", (r) => r.validationLoss],
  ["validation_accuracy", (r) => r.validationAccuracy],
  ["learning_rate", (r) => r.learningRate],
  ["seconds", (r) => r.seconds],
];
const STEP: Column = ["step", (r) => r.step];

const csv = (columns: readonly Column[], records: readonly EpochRecord[]): string =>
  [columns.map(([heading]) => heading), ...records.map((record) => columns.map(([, cell]) => cell(record) ?? ""))]
    .map((row) => `${row.join(",")}\n`)
    .join("");

/** A line an epoch, numbers in full precision; a cell is empty where there was no validation. */
export const historyCsv = (history: readonly EpochRecord[]): string => csv(COLUMNS, history);

/** A line a log, the same with the step in front. */
export const logCsv = (logs: readonly LogRecord[]): string => csv([STEP, ...COLUMNS], logs);
