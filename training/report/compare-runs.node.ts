import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FivecropError, UsageError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-error.ts";
import { bestOf } from "../progress.ts";
import { RUN_FILES, readRunAbout, readRunSummary } from "../run-files.node.ts";
import { type ComparedRun, type Comparison, compareRuns } from "./compare.ts";
import type { RunEvaluation } from "./report-run.node.ts";

/** Reads runs from their directories and puts them beside one another. @throws UsageError where one is named twice, FivecropError where one is none. */
export async function compareDirectories(directories: readonly string[]): Promise<Comparison> {
  const twice = directories.find((run, i) => directories.indexOf(run) < i);
  if (twice !== undefined) throw new UsageError(`${twice} is named twice: expected different runs to compare.`);
  const runs: ComparedRun[] = [];
  for (const run of directories) runs.push(await readRun(run));
  return compareRuns(runs);
}

async function readRun(run: string): Promise<ComparedRun> {
  const { config, environment } = await readRunAbout(run);
  const { parameters, progress } = await readRunSummary(run, "last", config);
  const { history, logs } = progress;
  const evaluation = await readEvaluation(run);
  return {
    run,
    config,
    environment,
    parameters,
    history,
    logs,
    ...(evaluation?.epoch === bestOf(history)?.epoch && { evaluation }),
    finished: existsSync(join(run, RUN_FILES.model)),
  };
}

async function readEvaluation(run: string): Promise<RunEvaluation | undefined> {
  const file = join(run, RUN_FILES.evaluation);
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FivecropError(`${file} cannot be read: ${fileReason(cause)}. To fix: make it anew (fivecrop report ${run}).`, { cause });
  }
}
