import { createNetwork } from "../models/architectures/index.ts";
import type { Network } from "../models/network.ts";
import { type Split, splitDataset } from "../pipeline/dataset.ts";
import { datasetEntry, openDataset } from "../pipeline/datasets/index.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import type { Optimizer } from "./optimizers.ts";
import { inputOf, networkOptionsOf, optimizerOf, preprocessFor, type RunConfig } from "./run-config.ts";
import { parseSchedule, type Schedule } from "./schedules.ts";

/** What a run's options stand for. */
export interface RunParts extends Split {
  readonly network: Network;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly preprocess: PreprocessSpec;
}

/**
 * Everything that a run works with, from its options; unknown names are refused before data is read.
 * @throws UsageError for an unknown name or a number out of range. FivecropError where the data set cannot be read.
 */
export async function runParts(config: RunConfig, dataRoot: string): Promise<RunParts> {
  const optimizer = optimizerOf(config);
  const schedule = parseSchedule(config.schedule);
  const { defaultPreprocess } = datasetEntry(config.data);
  const options = networkOptionsOf(config);
  createNetwork(config.model, options);
  const dataset = await openDataset({ name: config.data, root: dataRoot, split: "train" });
  const preprocess = preprocessFor(defaultPreprocess, inputOf(config.model));
  const network = createNetwork(config.model, {
    ...options,
    classes: dataset.classNames.length,
    input: [preprocess.channels, ...preprocess.crop],
  });
  return { network, optimizer, schedule, preprocess, ...splitDataset(dataset, config.validation, config.seed) };
}
