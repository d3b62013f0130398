import type { EpochRecord } from "../progress.ts";

const COLUMNS: readonly (readonly [heading: string, cell: (record: EpochRecord) => number | undefined])[] = [
  ["epoch", (r) => r.epoch],
  ["training_loss", (r) => r.trainingLoss],
  ["training_accuracy", (r) => r.trainingAccuracy],
  ["validation_loss", (r) => r.validationLoss],
  ["validation_accuracy", (r) => r.validationAccuracy],
  ["learning_rate", (r) => r.learningRate],
  ["seconds", (r) => r.seconds],
];

/** A line an epoch, numbers in full precision; a cell is empty where there was no validation. */
export const historyCsv = (history: readonly EpochRecord[]): string =>
  [COLUMNS.map(([heading]) => heading), ...history.map((record) => COLUMNS.map(([, cell]) => cell(record) ?? ""))]
    .map((row) => `${row.join(",")}\n`)
    .join("");
