import { UsageError } from "../core/errors.ts";
import { lookUp } from "../core/nearest.ts";
import { ARCHITECTURES, type Architecture, createNetwork } from "../models/architectures/index.ts";
import { BACKBONES, backboneOf } from "../models/backbones.ts";
import type { Freeze } from "../models/freeze.ts";
import type { WeightInitializer } from "../models/layers/initializers.ts";
import type { Network } from "../models/network.ts";
import { headOf } from "../models/network-options.ts";
import { isShipped, SHIPPED } from "../models/shipped.ts";
import type { AugmentationSpec } from "../pipeline/augmentations/index.ts";
import { completeSpec } from "../pipeline/augmentations/spec.ts";
import { datasetEntry, isFolderName } from "../pipeline/datasets/index.ts";
import { type PreprocessSpec, validatePreprocess } from "../pipeline/preprocess.ts";
import { preprocessFor } from "../pipeline/preprocess-for.ts";
import type { SizeStage } from "./epoch-plan.ts";
import { createOptimizer, type Optimizer, type OptimizerOptions } from "./optimizers.ts";
import { parseSchedule } from "./schedules.ts";
import type { WeightAverage } from "./weight-average.ts";
import { pretrainedPreprocess } from "./weights/known.ts";

/** Everything that a run is asked for, as plain JSON: with the data it determines the result. */
export interface RunConfig extends OptimizerOptions {
  /** The recipe that it began from. */
  readonly recipe?: string;
  /** An architecture's name, that of a model which the package ships, or an ONNX file. */
  readonly model: string;
  /** Of a file: its SHA-256. */
  readonly modelHash?: string;
  /** Of a file: the value that the new head reads, where it is not found. */
  readonly features?: string;
  /** How many augmented views of each training picture a network on features sees. */
  readonly views?: number;
  /** Units of hidden layers in place of the network's own. */
  readonly head?: readonly number[];
  /** The share that is dropped behind each of them. */
  readonly dropout?: number;
  /** How the weights are drawn, other than the network's source says. */
  readonly initialization?: WeightInitializer;
  /** The weights to begin with in place of drawn ones: a known name, or a file. */
  readonly weights?: string;
  /** A data set's name. */
  readonly data: string;
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: string;
  readonly learningRate: number;
  /** The rate of what trains below the head, where it is another. */
  readonly learningRateBackbone?: number;
  /** What stays as it is: all but the head; all but the head and so many layers below it; nothing where it is left out. */
  readonly freeze?: Freeze;
  readonly schedule: string;
  readonly seed: number;
  /** What is kept of the training split for validation: below 1 a share of it, else so many images. Absent where the data set brings its own. */
  readonly validation?: number;
  /** A well-known preprocessing in place of the data set's or the file's. */
  readonly preset?: string;
  /** Each class keeps its share in what is kept for validation: of a folder of pictures. Other data sets are drawn from as a whole. */
  readonly stratified?: boolean;
  /** Fields of the preprocessing in place of the data set's; a `crop` is the size that the network is made for. */
  readonly preprocess?: Partial<PreprocessSpec>;
  readonly labelSmoothing: number;
  readonly augmentations: readonly AugmentationSpec[];
  /** The decay of the weights' moving average; none where it is 0 or left out. */
  readonly ema?: number;
  /** The average's decay rises with the steps. */
  readonly emaWarmup?: boolean;
  /** The first epochs on images of other sizes. */
  readonly sizes?: readonly SizeStage[];
  /** Stops after so many epochs without a better one; 0 is never. */
  readonly patience?: number;
  /** Validates and records every so many steps; 0 is never. */
  readonly logEvery?: number;
  /** Writes event files for TensorBoard. */
  readonly tensorboard?: boolean;
  readonly threads?: number;
  /** What computes the steps: `onnxruntime` where it is left out, `tfjs`, or `auto`, which is one of them before the run begins. */
  readonly engine?: string;
}

export const DEFAULTS = {
  epochs: 10,
  batchSize: 64,
  optimizer: "adam",
  learningRate: 0.001,
  schedule: "constant",
  seed: 0,
  validation: 0.2,
  labelSmoothing: 0,
  augmentations: [],
} as const satisfies Partial<RunConfig>;

/** @throws UsageError for an unknown optimizer, or an option that it does not have. */
export function optimizerOf({ optimizer, momentum, nesterov, weightDecay, beta1, beta2, epsilon }: RunConfig): Optimizer {
  const given = Object.entries({ momentum, nesterov, weightDecay, beta1, beta2, epsilon }).filter(
    ([, value]) => value !== undefined && value !== false,
  );
  const foreign = given.find(([name]) => (optimizer === "sgd" ? ["beta1", "beta2", "epsilon"] : ["momentum", "nesterov"]).includes(name));
  if (foreign) throw new UsageError(`optimizer '${optimizer}' has no option '${foreign[0]}'.`);
  return createOptimizer(optimizer, Object.fromEntries(given));
}

/** The moving average of the weights that a run keeps. @throws UsageError where only its warm-up is asked for. */
export function averageOf({ ema, emaWarmup: warmup = false }: RunConfig): WeightAverage | undefined {
  if (ema) return { decay: ema, warmup };
  if (warmup && ema === undefined)
    throw new UsageError("--ema-warmup: expected --ema with a decay beside it, received none. To fix: add --ema 0.999.");
  return undefined;
}

/**
 * A new run's config, without a share for validation where the data set brings a split of its own; of a folder it is drawn class by class.
 * @throws UsageError for an unknown data set
 */
export async function fittedToData({ validation, ...config }: RunConfig): Promise<RunConfig> {
  const { splits } = await datasetEntry(config.data);
  if ("validation" in splits || validation === undefined) return config;
  return { ...config, validation, ...(isFolderName(config.data) && { stratified: true }) };
}

/** Whether a run's model is a file, the package's own by its name too, and not an architecture's name. */
export const isModelFile = (model: string): boolean => /\.onnx$/i.test(model) || isShipped(model);

/** What a run's network is called: the architecture, or the file without its folder and ending. */
export const networkName = (model: string): string => (isModelFile(model) ? model.replace(/^.*[/\\]/, "").replace(/\.onnx$/i, "") : model);

/** @throws UsageError that names all that a run's model may be. */
function architectureOf(model: string): Architecture {
  if (!Object.hasOwn(ARCHITECTURES, model)) lookUp<unknown>("model", { ...BACKBONES, ...ARCHITECTURES, ...SHIPPED }, model);
  return lookUp<Architecture>("model", ARCHITECTURES, model);
}

function initializationOf({ model }: RunConfig): Pick<RunConfig, "initialization"> {
  if (isModelFile(model) || backboneOf(model)) return {};
  const { initialization } = architectureOf(model);
  return initialization ? { initialization } : {};
}

/**
 * With what the network's source, the optimizer, the schedule and the augmentations say where nothing is asked for: the run is the same when those change.
 * @throws UsageError
 */
export const completed = (config: RunConfig): RunConfig => ({
  ...initializationOf(config),
  ...config,
  engine: config.engine ?? "onnxruntime",
  ...optimizerOf(config).options,
  schedule: parseSchedule(config.schedule).complete,
  augmentations: config.augmentations.map(completeSpec),
});

/**
 * A run's network and what it makes of an image: the data set's preprocessing, or what pretrained weights expect, fitted to the architecture's input, with
 * the run's own changes.
 * @throws UsageError for an unknown name, or preprocessing that cannot be.
 */
export function modelOf(
  config: RunConfig,
  standard: PreprocessSpec,
  classes?: number,
): { readonly network: Network; readonly preprocess: PreprocessSpec } {
  const { model, head, dropout, preprocess: changes = {}, initialization, weights } = config;
  const [channels, height, width] = architectureOf(model).input;
  const [C, [H, W]] = [changes.channels ?? channels, changes.crop ?? [height, width]];
  const base = (weights !== undefined && pretrainedPreprocess(model)) || standard;
  const preprocess = validatePreprocess({ ...preprocessFor(base, [C, H, W]), ...changes });
  const input = [preprocess.channels, ...preprocess.crop] as const;
  return { network: createNetwork(model, { ...headOf(head, dropout), classes, input, initialization }), preprocess };
}
