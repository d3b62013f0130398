import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import { FivecropError, messageOf, UsageError } from "../core/errors.ts";
import { VERSION } from "../export/version.ts";
import { checkpointFile, fileCheckpoints } from "./checkpoint.node.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { RunConfig } from "./run-config.ts";

/** What a run leaves in its directory, beside its checkpoints `best` and `last`. */
export const RUN_FILES = { model: "model.onnx", history: "history.csv", config: "run.json", curves: "curves.svg" } as const;

export const CHECKPOINT_NAMES = ["best", "last"] as const;
export type CheckpointName = (typeof CHECKPOINT_NAMES)[number];

/**
 * Makes the directory and leaves there what the run was asked for. It fails here, before any work, where nothing can be written.
 * @param overwrite takes away what an earlier run left there.
 */
export async function startDirectory(out: string, config: RunConfig, overwrite: boolean): Promise<void> {
  const file = join(out, RUN_FILES.config);
  if (existsSync(file) && !overwrite)
    throw new UsageError(
      `${out} holds a run already. To fix: choose another --out, go on with it (--resume ${out}), or replace it (--overwrite).`,
    );
  try {
    await mkdir(out, { recursive: true });
    for (const name of [...Object.values(RUN_FILES), ...CHECKPOINT_NAMES.map(checkpointFile)]) await rm(join(out, name), { force: true });
  } catch (cause) {
    throw new FivecropError(`cannot make the directory ${out}: ${messageOf(cause)}. To fix: choose an --out that can be written.`, {
      cause,
    });
  }
  const environment = { fivecrop: VERSION, node: process.version, platform: `${process.platform} ${process.arch}` };
  await writeWhole(file, `${JSON.stringify({ config, environment, started: new Date().toISOString() }, null, 2)}\n`);
}

/** The options of a run, from its directory. @throws FivecropError where there is none. */
export async function readRunConfig(out: string): Promise<RunConfig> {
  const file = join(out, RUN_FILES.config);
  let config: RunConfig | undefined;
  try {
    config = JSON.parse(await readFile(file, "utf8")).config;
  } catch (cause) {
    throw new FivecropError(`${out} holds no run: cannot read ${file}: ${messageOf(cause)}. To fix: name the --out of a run.`, { cause });
  }
  if (typeof config?.model !== "string" || typeof config.data !== "string")
    throw new FivecropError(
      `${file}: expected a run's options ("config" with "model" and "data"), found none. To fix: name the --out of a run.`,
    );
  return config;
}

/** @throws FivecropError that names the file, where it is missing, is no checkpoint, or of another network. */
export async function readRunCheckpoint(out: string, name: CheckpointName, config: RunConfig): Promise<Checkpoint> {
  const file = join(out, checkpointFile(name));
  const found = await fileCheckpoints(out).load(name);
  if (!found)
    throw new FivecropError(
      `${file} is missing: the run was stopped before its first checkpoint. To fix: train anew, or name the --out of another run.`,
    );
  if (found.network !== config.model || found.optimizer !== config.optimizer)
    throw new FivecropError(
      `${file} is a checkpoint of another model: expected network '${config.model}' with optimizer '${config.optimizer}' as in ${RUN_FILES.config}, ` +
        `found '${found.network}' with '${found.optimizer}'. To fix: put the run's own checkpoint there.`,
    );
  return found;
}
