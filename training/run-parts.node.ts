import type { Network } from "../models/network.ts";
import { type Split, splitDataset } from "../pipeline/dataset.ts";
import { datasetEntry, openDataset } from "../pipeline/datasets/index.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import type { Optimizer } from "./optimizers.ts";
import { averageOf, modelOf, optimizerOf, type RunConfig } from "./run-config.ts";
import { parseSchedule, type Schedule } from "./schedules.ts";
import type { WeightAverage } from "./weight-average.ts";

/** What a run's options stand for. */
export interface RunParts extends Split {
  readonly network: Network;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly average?: WeightAverage;
  readonly preprocess: PreprocessSpec;
}

/**
 * Everything that a run works with, from its options; unknown names are refused before data is read.
 * @throws UsageError for an unknown name or a number out of range. FivecropError where the data set cannot be read.
 */
export async function runParts(config: RunConfig, dataRoot: string): Promise<RunParts> {
  const optimizer = optimizerOf(config);
  const schedule = parseSchedule(config.schedule);
  const average = averageOf(config);
  const { defaultPreprocess } = datasetEntry(config.data);
  modelOf(config, defaultPreprocess);
  const dataset = await openDataset({ name: config.data, root: dataRoot, split: "train" });
  const model = modelOf(config, defaultPreprocess, dataset.classNames.length);
  return { ...model, optimizer, schedule, average, ...splitDataset(dataset, config.validation, config.seed) };
}
