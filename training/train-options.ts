import { UsageError } from "../core/errors.ts";
import { type AugmentationSpec, checkAugmentations } from "../pipeline/augmentations.ts";
import { DEFAULTS, type RunConfig } from "./run-config.ts";

/** The options of `train`, as the command line gives them: only what was asked for is there. */
export interface TrainOptions extends Omit<Partial<RunConfig>, "learningRate" | "augmentations"> {
  readonly lr?: number;
  readonly augment?: readonly AugmentationSpec[];
  readonly dataDir?: string;
  readonly out?: string;
  readonly overwrite?: true;
  readonly resume?: string;
  readonly json?: true;
  readonly debug?: true;
}

const NOT_OF_THE_RUN = ["dataDir", "out", "overwrite", "resume", "json", "debug"];
/** What may be said beside --resume: where the data is on this machine, and how to show the run. */
const BESIDE_RESUME = ["dataDir", "resume", "json", "debug"];

const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** What the library calls that which an option says. */
const OPTION_OF: Readonly<Record<string, string>> = {
  "batch size": "--batch-size",
  epochs: "--epochs",
  patience: "--patience",
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

/** `flip,random-crop:4` → a list of augmentations. @throws UsageError */
export function parseAugmentations(text: string): readonly AugmentationSpec[] {
  const specs = text.split(",").map((part) => {
    const [kind, argument, ...rest] = part.split(":");
    const wanted = kind === "random-crop" ? 1 : 0;
    if (rest.length || (kind === "flip" && argument !== undefined) || (wanted && !argument?.trim()))
      throw new UsageError(`--augment: expected flip or random-crop:PIXELS, separated by commas, received '${part}'.`);
    return (wanted ? { kind, padding: Number(argument) } : { kind }) as AugmentationSpec;
  });
  checkAugmentations(specs);
  return specs;
}

/** A new run's config: what was asked for, over the defaults. @throws UsageError where the model or the data set is not named. */
export function toRunConfig(options: TrainOptions): RunConfig {
  const { model, data, lr: learningRate, augment: augmentations, ...others } = options;
  if (!model) throw new UsageError("--model: expected the name of a network, such as fashion-cnn, received none.");
  if (!data) throw new UsageError("--data: expected the name of a data set, such as fashion-mnist, received none.");
  const given = Object.entries({ ...others, learningRate, augmentations }).filter(
    ([name, value]) => value !== undefined && !NOT_OF_THE_RUN.includes(name),
  );
  return { model, data, ...DEFAULTS, ...Object.fromEntries(given) };
}

/** @throws UsageError where a run is to be resumed and changed at once: it takes its options from its run.json. */
export function checkResume(options: TrainOptions): void {
  const foreign = Object.keys(options).filter((name) => !BESIDE_RESUME.includes(name));
  if (foreign.length)
    throw new UsageError(
      `--resume takes all options of the run from ${options.resume}/run.json: expected nothing beside it but --data-dir and --json, received ${foreign.map(flagOf).join(", ")}.`,
    );
}
