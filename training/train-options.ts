import { messageOf, UsageError } from "../core/errors.ts";
import { lookUp } from "../core/nearest.ts";
import { backboneOf, STANDARD_BACKBONE } from "../models/backbones.ts";
import type { Freeze } from "../models/freeze.ts";
import { parseHead } from "../models/network-options.ts";
import type { AugmentationSpec } from "../pipeline/augmentations/index.ts";
import { resolveName } from "../pipeline/datasets/index.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import type { DeviceChoice } from "./devices.ts";
import type { SizeStage } from "./epoch-plan.ts";
import { backboneOfRun, FEATURE_DEFAULTS } from "./features/feature-config.ts";
import { RECIPES } from "./recipes/index.ts";
import type { Recipe } from "./recipes/recipe.ts";
import { DEFAULTS, fittedToData, type RunConfig } from "./run-config.ts";
import { resolveWeights } from "./weights/read-weights.node.ts";

/** The options of `train`, as the command line gives them: only what was asked for is there. */
export interface TrainOptions extends Omit<Partial<RunConfig>, "learningRate" | "learningRateBackbone" | "augmentations" | "head"> {
  /** `own`: as the network has it, whatever a recipe says. */
  readonly head?: RunConfig["head"] | "own";
  readonly lr?: number;
  readonly lrBackbone?: number;
  readonly augment?: readonly AugmentationSpec[];
  readonly dataDir?: string;
  readonly out?: string;
  readonly overwrite?: true;
  readonly strict?: true;
  readonly resume?: string;
  readonly device?: DeviceChoice;
  /** False for --no-report. */
  readonly report?: boolean;
  readonly json?: true;
  readonly debug?: true;
}

const NOT_OF_THE_RUN = ["dataDir", "out", "overwrite", "strict", "resume", "device", "report", "json", "debug"];
/** What may be said beside --resume: where the data is on this machine, what computes, whether to report, and how to show the run. */
const BESIDE_RESUME = ["dataDir", "strict", "resume", "device", "engine", "report", "json", "debug"];

const flagOf = (name: string, value?: unknown): string =>
  `--${value === false ? "no-" : ""}${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** What the library calls that which an option says. */
const OPTION_OF: Readonly<Record<string, string>> = {
  "batch size": "--batch-size",
  epochs: "--epochs",
  head: "--head",
  features: "--features",
  freeze: "--freeze",
  dropout: "--dropout",
  validation: "--validation",
  patience: "--patience",
  sizes: "--sizes",
  "log every": "--log-every",
  "label smoothing": "--label-smoothing",
  "learning rate": "--lr",
  "weight decay": "--weight-decay",
  momentum: "--momentum",
  beta1: "--beta1",
  beta2: "--beta2",
};

/** An error as the command line says it: by the option that is to be changed. */
export function byOption(error: unknown): unknown {
  const [, what, rest] = (error instanceof UsageError && /^([a-z0-9 ]+)(: .*)$/s.exec(error.message)) || [];
  return what && OPTION_OF[what] ? new UsageError(`${OPTION_OF[what]}${rest}`, { cause: error }) : error;
}

/** `16:10,24:5:256` → a list of stages: image size, epochs, batch size. @throws UsageError */
export function parseSizes(text: string): readonly SizeStage[] {
  if (text === "none") return [];
  return text.split(",").map((part) => {
    if (!/^\d+:\d+(:\d+)?$/.test(part))
      throw new UsageError(`--sizes: expected SIZE:EPOCHS or SIZE:EPOCHS:BATCH_SIZE, separated by commas, or none, received '${part}'.`);
    const [size, epochs, batchSize] = part.split(":").map(Number);
    return { size, epochs, ...(batchSize !== undefined && { batchSize }) };
  });
}

/** `512,256` → the units of each hidden layer; `none` has none; `own` are the network's. @throws UsageError */
export const parseTrainHead = (text: string): RunConfig["head"] | "own" => (text === "own" ? text : parseHead(text));

/** `backbone`, `none`, or how many layers below the head train. @throws UsageError */
export function parseFreeze(text: string): Freeze {
  if (text === "backbone" || text === "none") return text;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new UsageError(`--freeze: expected backbone, none, or how many layers below the head are to train, received '${text}'.`);
}

/** Below 1 a share of the training images, else a whole number of them. @throws UsageError */
export function parseValidation(text: string): number {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  if ((value > 0 && value < 1) || (Number.isSafeInteger(value) && value > 1)) return value;
  throw new UsageError(`--validation: expected a share above 0 and below 1, or a whole number of images above 1, received '${text}'.`);
}

/** Fields of a preprocessing as JSON. @throws UsageError */
export function parsePreprocess(text: string): Partial<PreprocessSpec> {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`--preprocess: expected JSON, such as {"mean":[0],"std":[1]}, received '${text}': ${messageOf(cause)}.`, {
      cause,
    });
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields))
    throw new UsageError(`--preprocess: expected a JSON object, such as {"mean":[0],"std":[1]}, received '${text}'.`);
  return fields;
}

/** Of a recipe, where the optimizer or the network is another one: what was meant for its own goes. */
function optionsOf({ options }: Recipe, { optimizer, model, head }: TrainOptions): Partial<RunConfig> {
  let kept: Partial<RunConfig> = options;
  if (optimizer !== undefined && optimizer !== options.optimizer) {
    const { momentum, nesterov, beta1, beta2, epsilon, weightDecay, ...others } = kept;
    kept = others;
  }
  if (head === "own" || (model !== undefined && model !== options.model)) {
    const { head: units, dropout, weights, ...others } = kept;
    kept = others;
  }
  return kept;
}

/**
 * A new run's config: what was asked for, over the recipe's options, over the defaults; a preprocessing field by field.
 * @throws UsageError where the model or the data set is not named.
 */
export function toRunConfig(options: TrainOptions, recipes: Readonly<Record<string, Recipe>> = RECIPES): RunConfig {
  const { lr: learningRate, lrBackbone: learningRateBackbone, augment: augmentations, head, ...others } = options;
  const recipe = options.recipe === undefined ? {} : optionsOf(lookUp("recipe", recipes, options.recipe), options);
  const preprocess = recipe.preprocess && options.preprocess ? { ...recipe.preprocess, ...options.preprocess } : options.preprocess;
  const { model = STANDARD_BACKBONE, data } = { ...recipe, ...defined(options) };
  if (!data) throw new UsageError("--data: expected the name of a data set, such as fashion-mnist, received none.");
  const units = head === "own" ? undefined : head;
  const given = Object.entries(defined({ ...others, learningRate, learningRateBackbone, augmentations, preprocess, head: units })).filter(
    ([name]) => !NOT_OF_THE_RUN.includes(name),
  );
  const config = { ...DEFAULTS, ...(backboneOf(model) && FEATURE_DEFAULTS), ...recipe, model, data, ...Object.fromEntries(given) };
  backboneOfRun(config);
  return config;
}

/** The same, as it fits to the data set: no `validation` where that brings its own split. @throws UsageError where it was asked for even so, or as `toRunConfig` does. */
export async function newRunConfig(options: TrainOptions, recipes?: Readonly<Record<string, Recipe>>): Promise<RunConfig> {
  const config = await fittedToData(toRunConfig(options, recipes));
  if (options.validation !== undefined && config.validation === undefined)
    throw new UsageError(
      `--validation: ${config.data} brings a validation split of its own: expected no share of the training images, received ${options.validation}.`,
    );
  const { weights, ...drawn } = { ...config, data: resolveName(config.data) };
  return weights === undefined || weights === "none" ? drawn : { ...drawn, weights: resolveWeights(weights) };
}

const defined = <T extends object>(options: T): Partial<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;

/** @throws UsageError where a run is to be resumed and changed at once: it takes its options from its run.json. */
export function checkResume(options: TrainOptions): void {
  const foreign = Object.entries(options).filter(([name]) => !BESIDE_RESUME.includes(name));
  if (foreign.length)
    throw new UsageError(
      `--resume takes all options of the run from ${options.resume}/run.json: expected nothing beside it but --data-dir, --engine, --device, --strict, --no-report and --json, received ${foreign.map(([name, value]) => flagOf(name, value)).join(", ")}.`,
    );
}
