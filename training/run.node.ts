import { join } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import { createSession } from "../core/session.node.ts";
import { parameterCount } from "../models/network.ts";
import { createLoader } from "../pipeline/batches.node.ts";
import { fileCheckpoints } from "./checkpoint.node.ts";
import { createOnnxRuntimeEngine } from "./engines/onnxruntime.ts";
import { type Exported, exportCheckpoint } from "./export-run.node.ts";
import { checkFit, type FitEvent, type FitOptions, fit } from "./fit.ts";
import type { EpochRecord } from "./progress.ts";
import { historyCsv } from "./report/history-csv.ts";
import { completed, type RunConfig } from "./run-config.ts";
import { checkUnused, lockDirectory, RUN_FILES, readRunCheckpoint, startDirectory } from "./run-files.node.ts";
import { runParts } from "./run-parts.node.ts";

export interface RunOptions {
  /** The directory that the run writes to. */
  readonly out: string;
  /** The folder of all data sets. */
  readonly dataRoot: string;
  /** Go on from the directory's last checkpoint. */
  readonly resume?: boolean;
  /** Start anew in a directory that has a run already. */
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

export type RunEvent =
  | {
      readonly kind: "prepared";
      readonly network: string;
      readonly parameters: number;
      readonly training: number;
      readonly validation: number;
      readonly classes: number;
    }
  | FitEvent
  | Exported;

/**
 * A whole run: data, training with checkpoints, and at its end the best weights as `model.onnx`, compared with the training engine on real images.
 * @throws UsageError before anything is written. FivecropError; what is in the directory then is whole.
 */
export async function* run(config: RunConfig, options: RunOptions): AsyncGenerator<RunEvent, void, undefined> {
  let unlock: (() => Promise<void>) | undefined;
  const lock = async (): Promise<void> => {
    unlock = await lockDirectory(options.out);
  };
  try {
    yield* runInto(completed(config), options, lock);
  } finally {
    await unlock?.();
  }
}

/** @param lock is called before anything is read from the run's directory or written to it */
async function* runInto(config: RunConfig, options: RunOptions, lock: () => Promise<void>): AsyncGenerator<RunEvent, void, undefined> {
  const { out, dataRoot, signal } = options;
  const parts = await runParts(config, dataRoot);
  const { network, optimizer, schedule, preprocess, training, validation } = parts;
  const checkpoints = fileCheckpoints(out);
  if (options.resume) await lock();
  const resume = options.resume ? await readRunCheckpoint(out, "last", config) : undefined;
  const { epochs, batchSize, learningRate, seed, augmentations, labelSmoothing, patience } = config;
  const rates = { epochs, batchSize, learningRate, schedule, seed };
  const fitOptions: FitOptions = { ...rates, preprocess, augmentations, labelSmoothing, patience, checkpoints, resume, signal };

  const engine = createOnnxRuntimeEngine({ network, optimizer, createSession, threads: config.threads });
  const loaders = { training: createLoader(training), validation: createLoader(validation) };
  try {
    checkFit(engine, loaders, fitOptions);
    if (!resume) {
      if (!options.overwrite) checkUnused(out);
      await lock();
      await startDirectory(out, config);
    }
    yield {
      kind: "prepared",
      network: network.name,
      parameters: parameterCount(network),
      training: training.length,
      validation: validation.length,
      classes: training.classNames.length,
    };
    for await (const event of fit(engine, loaders, fitOptions)) {
      if (event.kind === "epoch") {
        await writeWhole(join(out, RUN_FILES.history), historyCsv(event.history));
      }
      yield event;
      if (event.kind !== "end" || event.reason === "interrupted") continue;
      await writeCurves(out, event.history, config);
      const checkpoint = await readRunCheckpoint(out, "best", config);
      yield await exportCheckpoint(join(out, RUN_FILES.model), { checkpoint, config, parts, engine });
    }
  } finally {
    await Promise.all([engine.dispose(), loaders.training.dispose(), loaders.validation.dispose()]);
  }
}

async function writeCurves(out: string, history: readonly EpochRecord[], { model, data }: RunConfig): Promise<void> {
  const { curvesSvg } = await import("./report/curves.ts"); // echarts takes half a second to load
  await writeWhole(join(out, RUN_FILES.curves), curvesSvg(history, `${model} on ${data}`));
}
