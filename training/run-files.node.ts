import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { removeAbandoned, writeWhole } from "../core/atomic-file.node.ts";
import { FivecropError, messageOf, UsageError } from "../core/errors.ts";
import { acquireLock } from "../core/lock.node.ts";
import { makeDirectoryFor, removeEmpty } from "../core/make-directory.node.ts";
import { readInput } from "../core/read-file.node.ts";
import { RUNTIME_VERSION } from "../core/session.node.ts";
import type { Device } from "../core/session.ts";
import { VERSION } from "../export/version.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { checkpointFile, fileCheckpoints, loadSummary } from "./checkpoint.node.ts";
import type { Checkpoint, CheckpointSummary } from "./checkpoint.ts";
import { DEVICE_CHOICES, type DeviceChoice } from "./devices.ts";
import type { ChosenEngine } from "./engines/choose.ts";
import type { NearDuplicates } from "./near-duplicates.ts";
import { DEFAULTS, networkName, type RunConfig } from "./run-config.ts";

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

const lockFile = (out: string): string => join(out, "run.lock");

/**
 * Makes the directory where it is missing, and keeps other processes from training into it. It fails here, before any work, where nothing can be written.
 * @returns gives the directory back; what was made for it and stayed empty is gone again
 */
export async function lockDirectory(out: string): Promise<() => Promise<void>> {
  const made = await makeDirectoryFor(out, "--out");
  const takeAway = async (): Promise<void> => {
    for (const directory of made.toReversed()) if (!(await removeEmpty(directory))) return;
  };
  try {
    const unlock = await holdRun(out);
    return async () => {
      await unlock();
      await takeAway();
    };
  } catch (error) {
    await takeAway();
    throw error;
  }
}

/**
 * Keeps other processes from changing a run while something is read from it and written to it.
 * @returns gives the run back
 * @throws FivecropError where there is no run in the directory, or it is in use.
 */
export async function lockRun(out: string): Promise<() => Promise<void>> {
  await readRunAbout(out);
  return holdRun(out);
}

/** Takes the lock, and removes what a run that was killed left half-written. */
async function holdRun(out: string): Promise<() => Promise<void>> {
  const unlock = await acquireLock(lockFile(out), `the run in ${out}`);
  try {
    await removeAbandoned(out, ALL_FILES);
  } catch (error) {
    await unlock();
    throw error;
  }
  return unlock;
}

/** The name of what `export` makes of a checkpoint: `model.onnx`, `model-last.safetensors`, `model-self-contained.onnx`. */
export const exportedFile = (name: CheckpointName, format: "onnx" | "safetensors", kind?: "self-contained" | "explained"): string =>
  `model${name === "best" ? "" : `-${name}`}${kind ? `-${kind}` : ""}.${format}`;

/** Everything that a run and its exports may leave in a directory. */
const ALL_FILES: readonly string[] = [
  ...new Set([
    ...Object.values(RUN_FILES),
    ...CHECKPOINT_NAMES.flatMap((name) => [
      checkpointFile(name),
      exportedFile(name, "onnx"),
      exportedFile(name, "onnx", "self-contained"),
      exportedFile(name, "onnx", "explained"),
      exportedFile(name, "safetensors"),
    ]),
  ]),
];

const heldIn = (out: string): string[] => ALL_FILES.filter((name) => existsSync(join(out, name)));

/** What a run leaves that failed or was killed before its first checkpoint: nothing to go on with. */
const BEFORE_A_CHECKPOINT: readonly string[] = [RUN_FILES.config, RUN_FILES.log, RUN_FILES.tensorboard];

/** @throws UsageError where a run would replace what is there; not where that is a run that came to no checkpoint. */
export async function checkUnused(out: string): Promise<void> {
  const held = heldIn(out);
  const begun = held.includes(RUN_FILES.config) && held.every((name) => BEFORE_A_CHECKPOINT.includes(name));
  if (begun && (await isRun(out))) return;
  if (held.length)
    throw new UsageError(
      held.includes(RUN_FILES.config)
        ? `${out} holds a run already. To fix: choose another --out, go on with it (--resume ${out}), or replace it (--overwrite).`
        : `${out} holds ${held.join(", ")} already, which a run would replace. To fix: choose another --out, or replace them (--overwrite).`,
    );
}

/** What a run begins with. */
export interface StartedRun extends Pick<RunAbout, "config" | "preprocess" | "nearDuplicates"> {
  /** Of what computes besides ONNX Runtime. */
  readonly versions: Readonly<Record<string, string>>;
  readonly device: Device;
}

/** Leaves in the directory what the run was asked for, and takes away what an earlier one left there. */
export async function startDirectory(
  out: string,
  { config, preprocess, nearDuplicates, versions: more, device }: StartedRun,
): Promise<void> {
  const held = heldIn(out);
  const environment = { ...versions(), ...more, platform: `${process.platform} ${process.arch}`, processor: processor(), device };
  const about = { config, preprocess, environment, started: new Date().toISOString(), nearDuplicates };
  await writeWhole(join(out, RUN_FILES.config), `${JSON.stringify(about, null, 2)}\n`);
  for (const name of held) if (name !== RUN_FILES.config) await rm(join(out, name), { force: true, recursive: true });
}

/** In the `run.json` of a run that is gone on with: the engine and the device, where they are others now, and their versions. */
export async function recordEngine(
  out: string,
  { engine, device, versions: more }: Pick<ChosenEngine, "engine" | "device" | "versions">,
): Promise<void> {
  const about = await readRunAbout(out);
  if ((about.config.engine ?? "onnxruntime") === engine && about.environment.device === device) return;
  const changed: RunAbout = { ...about, config: { ...about.config, engine }, environment: { ...about.environment, ...more, device } };
  await writeWhole(join(out, RUN_FILES.config), `${JSON.stringify(changed, null, 2)}\n`);
}

/**
 * The device that was asked for, or where a run that is gone on with was computed: both times on ONNX Runtime, since another engine computes where its
 * package does.
 * @throws FivecropError where there is no run to go on with.
 */
export async function deviceFor(
  engine: string,
  { device, resume, out }: { readonly device?: DeviceChoice; readonly resume?: boolean; readonly out: string },
): Promise<DeviceChoice | undefined> {
  if (device !== undefined || !resume || engine !== "onnxruntime") return device;
  const { config, environment } = await readRunAbout(out);
  return (config.engine ?? engine) === engine ? DEVICE_CHOICES.find((choice) => choice === environment.device) : undefined;
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
  /** What of the data is in several splits, where these are picture files. */
  readonly nearDuplicates?: NearDuplicates;
}

/** @throws FivecropError where there is no run in the directory. */
export async function readRunAbout(out: string): Promise<RunAbout> {
  const file = join(out, RUN_FILES.config);
  const text = new TextDecoder().decode(await readInput(file, `${out} holds no run: cannot read ${file}`, "name the --out of a run"));
  let about: Partial<RunAbout>;
  try {
    about = JSON.parse(text) ?? {};
  } catch (cause) {
    throw new FivecropError(
      `${file}: expected a run's options as JSON, found ${JSON.stringify(text.slice(0, 40))} (${messageOf(cause)}). To fix: put the run's own file there, or train anew.`,
      { cause },
    );
  }
  const { config, preprocess, environment = {}, started, nearDuplicates } = about;
  const { validation, ...needed } = DEFAULTS;
  const missing = ["model", "data", ...Object.keys(needed)].find((key) => config?.[key as keyof RunConfig] === undefined);
  if (!config || !preprocess || missing)
    throw new FivecropError(
      `${file}: expected a run's options in "config", found no "${missing ?? "preprocess"}". To fix: name the --out of a run.`,
    );
  return { config, preprocess, environment, started, nearDuplicates };
}

/** Whether `run.json` there is a run's. */
const isRun = (out: string): Promise<boolean> =>
  readRunAbout(out).then(
    () => true,
    (error: unknown) => {
      if (error instanceof FivecropError) return false;
      throw error;
    },
  );

/** The options of a run, from its directory. @throws FivecropError where there is none. */
export const readRunConfig = async (out: string): Promise<RunConfig> => (await readRunAbout(out)).config;

/** @throws FivecropError that names the file, where it is missing, is no checkpoint, or of another network. */
export const readRunCheckpoint = async (out: string, name: CheckpointName, config: RunConfig): Promise<Checkpoint> =>
  ownCheckpoint(await fileCheckpoints(out).load(name), { out, name, config });

/** The same without its tensors, which are not read. @throws FivecropError as readRunCheckpoint does */
export const readRunSummary = async (out: string, name: CheckpointName, config: RunConfig): Promise<CheckpointSummary> =>
  ownCheckpoint(await loadSummary(out, name), { out, name, config });

function ownCheckpoint<T extends Pick<Checkpoint, "network" | "optimizer">>(
  found: T | undefined,
  { out, name, config }: { readonly out: string; readonly name: CheckpointName; readonly config: RunConfig },
): T {
  const file = join(out, checkpointFile(name));
  if (!found)
    throw new FivecropError(
      existsSync(join(out, checkpointFile("last")))
        ? `${file} is missing: the run was stopped before the end of its first epoch. To fix: go on with it (train --resume ${out}), or take --checkpoint last.`
        : `${file} is missing: the run was stopped before its first checkpoint. To fix: train anew, or name the --out of another run.`,
    );
  if (found.network !== networkName(config.model) || found.optimizer !== config.optimizer)
    throw new FivecropError(
      `${file} is a checkpoint of another model: expected network '${networkName(config.model)}' with optimizer '${config.optimizer}' as in ${RUN_FILES.config}, ` +
        `found '${found.network}' with '${found.optimizer}'. To fix: put the run's own checkpoint there.`,
    );
  return found;
}
