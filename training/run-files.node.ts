import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import { FivecropError, messageOf, UsageError } from "../core/errors.ts";
import { makeDirectory } from "../core/make-directory.node.ts";
import { RUNTIME_VERSION } from "../core/session.node.ts";
import { VERSION } from "../export/version.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { checkpointFile, fileCheckpoints } from "./checkpoint.node.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { DEFAULTS, optimizerOf, type RunConfig } from "./run-config.ts";

/** What a run leaves in its directory, beside its checkpoints `best` and `last`. */
export const RUN_FILES = {
  model: "model.onnx",
  history: "history.csv",
  /** With --log-every. */
  log: "log.csv",
  config: "run.json",
  curves: "curves.svg",
  report: "report.html",
  evaluation: "evaluation.json",
  calibration: "calibration.json",
  /** With --tensorboard: the folder of its event files. */
  tensorboard: "tensorboard",
} as const;

export const CHECKPOINT_NAMES = ["best", "last"] as const;
export type CheckpointName = (typeof CHECKPOINT_NAMES)[number];

/** What a run would replace in the directory. @throws UsageError where there is something, and it is not to be overwritten. */
export function checkDirectory(out: string, overwrite: boolean): readonly string[] {
  const names = [...Object.values(RUN_FILES), ...CHECKPOINT_NAMES.map(checkpointFile)];
  const held = names.filter((name) => existsSync(join(out, name)));
  if (held.length && !overwrite)
    throw new UsageError(
      held.includes(RUN_FILES.config)
        ? `${out} holds a run already. To fix: choose another --out, go on with it (--resume ${out}), or replace it (--overwrite).`
        : `${out} holds ${held.join(", ")} already, which a run would replace. To fix: choose another --out, or replace them (--overwrite).`,
    );
  return held;
}

/**
 * Makes the directory and leaves there what the run was asked for. It fails here, before any work, where nothing can be written.
 * @param overwrite takes away what an earlier run left there.
 */
export async function startDirectory(
  out: string,
  { config, preprocess }: Pick<RunAbout, "config" | "preprocess">,
  overwrite: boolean,
): Promise<void> {
  const held = checkDirectory(out, overwrite);
  try {
    await makeDirectory(out);
  } catch (cause) {
    throw new FivecropError(`cannot make the directory ${out}: ${messageOf(cause)}. To fix: choose an --out that can be written.`, {
      cause,
    });
  }
  const environment = { ...versions(), platform: `${process.platform} ${process.arch}`, processor: processor() };
  const about = { config: { ...config, ...optimizerOf(config).options }, preprocess, environment, started: new Date().toISOString() };
  await writeWhole(join(out, RUN_FILES.config), `${JSON.stringify(about, null, 2)}\n`);
  for (const name of held) if (name !== RUN_FILES.config) await rm(join(out, name), { force: true, recursive: true });
}

const processor = (): string => `${cpus()[0]?.model.trim() ?? "unknown"}, ${availableParallelism()} threads`;

/** What computes here: with another version of any of them the last bits of a run may differ. */
export const versions = (): Readonly<Record<string, string>> => ({
  fivecrop: VERSION,
  "onnxruntime-node": RUNTIME_VERSION,
  node: process.version.slice(1),
});

/** What `run.json` keeps: the options, the optimizer's own included, the preprocessing that they led to, where, and when. */
export interface RunAbout {
  readonly config: RunConfig;
  readonly preprocess: PreprocessSpec;
  readonly environment: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly started?: string;
}

/** @throws FivecropError where there is no run in the directory. */
export async function readRunAbout(out: string): Promise<RunAbout> {
  const file = join(out, RUN_FILES.config);
  let about: Partial<RunAbout>;
  try {
    about = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new FivecropError(`${out} holds no run: cannot read ${file}: ${messageOf(cause)}. To fix: name the --out of a run.`, { cause });
  }
  const { config, preprocess, environment = {}, started } = about;
  const missing = ["model", "data", ...Object.keys(DEFAULTS)].find((key) => config?.[key as keyof RunConfig] === undefined);
  if (!config || !preprocess || missing)
    throw new FivecropError(
      `${file}: expected a run's options in "config", found no "${missing ?? "preprocess"}". To fix: name the --out of a run.`,
    );
  return { config, preprocess, environment, started };
}

/** The options of a run, from its directory. @throws FivecropError where there is none. */
export const readRunConfig = async (out: string): Promise<RunConfig> => (await readRunAbout(out)).config;

/** @throws FivecropError that names the file, where it is missing, is no checkpoint, or of another network. */
export async function readRunCheckpoint(out: string, name: CheckpointName, config: RunConfig): Promise<Checkpoint> {
  const file = join(out, checkpointFile(name));
  const found = await fileCheckpoints(out).load(name);
  if (!found)
    throw new FivecropError(
      existsSync(join(out, checkpointFile("last")))
        ? `${file} is missing: the run was stopped before the end of its first epoch. To fix: go on with it (train --resume ${out}), or take --checkpoint last.`
        : `${file} is missing: the run was stopped before its first checkpoint. To fix: train anew, or name the --out of another run.`,
    );
  if (found.network !== config.model || found.optimizer !== config.optimizer)
    throw new FivecropError(
      `${file} is a checkpoint of another model: expected network '${config.model}' with optimizer '${config.optimizer}' as in ${RUN_FILES.config}, ` +
        `found '${found.network}' with '${found.optimizer}'. To fix: put the run's own checkpoint there.`,
    );
  return found;
}
