import { FivecropError } from "../core/errors.ts";
import { plural } from "../core/text.ts";
import type { Backbone } from "../models/backbones.ts";
import { AUGMENTATIONS } from "../pipeline/augmentations/index.ts";
import { cacheFolder } from "../pipeline/cache.node.ts";
import type { Dataset, Split } from "../pipeline/dataset.ts";
import { datasetEntry, openDataset, trainingSplit } from "../pipeline/datasets/index.ts";
import { type PackProgress, packPictures } from "../pipeline/pack.node.ts";
import type { UnreadablePicture } from "../pipeline/packed.node.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { smallClasses } from "../pipeline/stratified-split.ts";
import { checkPlanned } from "./check-fit.ts";
import { backboneOfRun, preprocessOf } from "./features/feature-config.ts";
import { openModel } from "./model-source.node.ts";
import type { Optimizer } from "./optimizers.ts";
import { averageOf, isModelFile, optimizerOf, type RunConfig } from "./run-config.ts";
import { checkRunData, type RunData } from "./run-data.ts";
import { parseSchedule, type Schedule } from "./schedules.ts";
import { splitRun } from "./split-run.ts";
import { writeStep } from "./step/index.ts";
import { modelOnFeatures, type RunModel, trainedLength, trainedNetwork } from "./trained-parts.node.ts";
import type { WeightAverage } from "./weight-average.ts";

/** What a run's options stand for. */
export interface RunParts extends Split, RunModel {
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly average?: WeightAverage;
  /** What the splits were taken from, where that are picture files. */
  readonly pictures?: { readonly training: OpenedSplit; readonly validation: OpenedSplit };
}

/** A split as it is read, and the file of each image where it was decoded from some. */
export interface OpenedSplit {
  readonly dataset: Dataset;
  readonly files?: readonly string[];
}

export interface RunPartsOptions {
  /** The folder of all data sets. */
  readonly dataRoot: string;
  /** Pictures that cannot be read are an error, and not left out. */
  readonly strict?: boolean;
  readonly signal?: AbortSignal;
}

export type DecodingEvent = PackProgress & { readonly split: string };

/** What happens before a run: decoding is under way, or something was left out of a split. */
export type PrepareEvent =
  | DecodingEvent
  | { readonly kind: "left out"; readonly split: string; readonly images: number; readonly unreadable: readonly UnreadablePicture[] }
  /** @property split of the data, or the network that it is about */
  | { readonly kind: "note"; readonly split: string; readonly note: string };

/**
 * Everything that a run works with, from its options; unknown names are refused before data is read. Picture files are decoded, once for all runs.
 * @returns undefined where `signal` stopped it.
 * @throws UsageError for an unknown name or a number out of range. FivecropError where the data set cannot be read.
 */
export async function* prepareRun(
  config: RunConfig,
  options: RunPartsOptions,
): AsyncGenerator<PrepareEvent, RunParts | undefined, undefined> {
  const optimizer = optimizerOf(config);
  const schedule = parseSchedule(config.schedule);
  const average = averageOf(config);
  const backbone = backboneOfRun(config);
  const entry = await datasetEntry(config.data);
  const source = await (backbone ? onBackbone(config, backbone) : onOwnWeights(config, entry.defaultPreprocess));
  const { preprocess } = source;
  const kept = looksAtWholePictures(config) ? { ...preprocess, resize: null } : preprocess;
  const listed = await openDataset({ name: config.data, root: options.dataRoot, split: trainingSplit(entry) });
  const { classNames } = listed;
  const model = await source.model(classNames);
  checkModel(model, config, optimizer);
  for (const note of source.notes(classNames)) yield { kind: "note", split: model.network.name, note };
  const whole = yield* decoded(listed, trainingSplit(entry), kept, options);
  if (!whole) return undefined;
  const validation = "validation" in entry.splits ? yield* openSplit(config.data, "validation", preprocess, options) : null;
  if (validation === undefined) return undefined;
  const { notes, ...split } = validation ? bringsValidation(whole.dataset, validation.dataset) : splitRun(whole.dataset, config);
  for (const note of notes) yield { kind: "note", split: trainingSplit(entry), note };
  const pictures = whole.files && { training: whole, validation: validation ?? whole };
  return { ...model, optimizer, schedule, average, ...split, pictures };
}

/** What can be wrong with a network is said before pictures are decoded for it. @throws UsageError; FivecropError where an operator of a file has no gradient */
function checkModel({ network, preprocess, frozen }: RunModel, config: RunConfig, optimizer: Optimizer): void {
  const { patience, logEvery } = config;
  const planned = { ...config, preprocess, patience: patience || undefined, logEvery: logEvery || undefined };
  checkPlanned(trainedNetwork({ network, frozen }), planned, frozen && [frozen.features, 1, 1]);
  if (isModelFile(config.model) && config.engine === "onnxruntime") writeStep(network, 2, optimizer);
}

const bringsValidation = (training: Dataset, validation: Dataset): ReturnType<typeof splitRun> => ({
  training,
  validation,
  notes: smallClasses(training, validation),
});

/** What makes a run's model, once the classes are known. */
interface Source {
  readonly preprocess: PreprocessSpec;
  model(classNames: readonly string[]): Promise<RunModel>;
  notes(classNames: readonly string[]): readonly string[];
}

const onBackbone = async (config: RunConfig, backbone: Backbone): Promise<Source> => ({
  preprocess: preprocessOf(backbone),
  model: ({ length }) => modelOnFeatures(config, backbone, length),
  notes: () => [],
});

async function onOwnWeights(config: RunConfig, standard: PreprocessSpec): Promise<Source> {
  const { preprocess, network, notes } = await openModel(config, standard);
  return { preprocess, model: async (classNames) => ({ network: network(classNames), preprocess }), notes };
}

/** Whether training sees more of a picture than what the preprocessing's resize leaves of it: other sizes, or parts enlarged. */
const looksAtWholePictures = ({ augmentations, sizes = [] }: RunConfig): boolean =>
  sizes.length > 0 || augmentations.some(({ kind }) => (AUGMENTATIONS[kind] as { readonly fromWhole?: true }).fromWhole);

/**
 * The same for a run that has begun, of which there is this checkpoint: what was left out was said when it began.
 * @returns undefined where `signal` stopped it.
 * @throws FivecropError where the data are no longer the run's.
 */
export async function* prepareAgain(
  config: RunConfig,
  then: RunData,
  options: RunPartsOptions,
): AsyncGenerator<DecodingEvent, RunParts | undefined, undefined> {
  const preparing = prepareRun(config, options);
  let step = await preparing.next();
  for (; !step.done; step = await preparing.next()) if (step.value.kind === "decoding") yield step.value;
  if (step.value) checkRunData(then, { ...step.value, training: { ...step.value.training, length: trainedLength(step.value, config) } });
  return step.value;
}

/** Why --strict ends here. */
export const unreadableText = (name: string, split: string, unreadable: readonly UnreadablePicture[]): string =>
  `${name}: ${plural(unreadable.length, "picture")} of ${split} cannot be read, and --strict was said: ${unreadable.map(({ message }) => message).join("; ")}`;

/** A split whose images are read without waiting: from memory, or decoded and resized. @returns undefined where `signal` stopped it. */
export async function* openSplit(
  name: string,
  split: string,
  preprocess: PreprocessSpec,
  options: RunPartsOptions,
): AsyncGenerator<PrepareEvent, OpenedSplit | undefined, undefined> {
  return yield* decoded(await openDataset({ name, root: options.dataRoot, split }), split, preprocess, options);
}

async function* decoded(
  dataset: Dataset,
  split: string,
  preprocess: PreprocessSpec,
  { strict, signal }: RunPartsOptions,
): AsyncGenerator<PrepareEvent, OpenedSplit | undefined, undefined> {
  for (const note of dataset.notes ?? []) yield { kind: "note", split, note };
  const { file } = dataset;
  if (!file) return { dataset };
  const packing = packPictures({ ...dataset, file }, preprocess, { cache: cacheFolder("decoded"), signal });
  let step = await packing.next();
  for (; !step.done; step = await packing.next()) yield { ...step.value, split };
  if (!step.value) return undefined;
  const { unreadable, files } = step.value;
  if (strict && unreadable.length) throw new FivecropError(unreadableText(dataset.name, split, unreadable));
  if (unreadable.length) yield { kind: "left out", split, images: dataset.length, unreadable };
  return { dataset: step.value.dataset, files };
}
