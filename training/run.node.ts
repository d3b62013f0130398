import { join } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import type { SessionMaker } from "../core/session.ts";
import { parameterCount } from "../models/network.ts";
import { answersOf } from "./calibrate-trained.ts";
import { checkFit } from "./check-fit.ts";
import { fileCheckpoints } from "./checkpoint.node.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { DeviceChoice } from "./devices.ts";
import { candidatesFor, checkThreads } from "./engines/choose.node.ts";
import { type Candidates, choose, type EngineReport } from "./engines/choose.ts";
import { validationPlan } from "./epoch-plan.ts";
import { explainDeviceError, isDeviceError } from "./explain-device.node.ts";
import { type Exported, epochOf, exportCheckpoint } from "./export-run.node.ts";
import type { FeatureProgress } from "./features/compute.node.ts";
import { type FitEvent, type FitOptions, fit } from "./fit.ts";
import { withModelHash } from "./model-file.node.ts";
import { type ComparingEvent, findNearDuplicates } from "./near-duplicates.node.ts";
import type { CalibrateEvent } from "./report/calibrate-run.node.ts";
import { readCalibration, writeCalibration } from "./report/calibration-file.node.ts";
import { fitCalibration } from "./report/fit-calibration.ts";
import { historyCsv, logCsv } from "./report/history-csv.ts";
import type { ReportEvent } from "./report/report-run.node.ts";
import { completed, fittedToData, networkName, type RunConfig } from "./run-config.ts";
import { checkUnused, deviceFor, lockDirectory, RUN_FILES, readRunCheckpoint, recordEngine, startDirectory } from "./run-files.node.ts";
import { type PrepareEvent, prepareRun, type RunParts } from "./run-parts.node.ts";
import { createEventFile, type EventFile } from "./tensorboard/event-file.node.ts";
import { type TrainedData, trainedData, trainedLength, trainedNetwork } from "./trained-parts.node.ts";
import { startWith, type WeightsEvent } from "./weights/start.node.ts";

export interface RunOptions {
  /** The directory that the run writes to. */
  readonly out: string;
  /** The folder of all data sets. */
  readonly dataRoot: string;
  /** Go on from the directory's last checkpoint. */
  readonly resume?: boolean;
  /** Start anew in a directory that has a run already. */
  readonly overwrite?: boolean;
  /** Measure at the end and leave `report.html`: true where it is left out. */
  readonly report?: boolean;
  /** Pictures that cannot be read are an error, and not left out. */
  readonly strict?: boolean;
  /**
   * Where the steps are computed. Left out, it is where the run to go on with was computed on ONNX Runtime; else the processor for the engine onnxruntime,
   * where its package computes for tfjs, and auto for auto.
   */
  readonly device?: DeviceChoice;
  /** Makes ONNX Runtime's sessions: onnxruntime-node's where it is left out. */
  readonly createSession?: SessionMaker;
  readonly signal?: AbortSignal;
}

export type RunEvent =
  | PrepareEvent
  /** What computes the steps, and why, where that is not the usual. */
  | ({ readonly kind: "engine" } & EngineReport)
  | ComparingEvent
  | FeatureProgress
  /** Stopped before the training began: nothing was written. */
  | { readonly kind: "stopped" }
  | {
      readonly kind: "prepared";
      readonly network: string;
      readonly parameters: number;
      /** How many of them are not frozen. */
      readonly trained: number;
      readonly training: number;
      /** How many views of each, where features are trained on. */
      readonly views?: number;
      readonly validation: number;
      readonly classes: number;
    }
  | WeightsEvent
  | FitEvent
  | Exported
  | Extract<CalibrateEvent, { kind: "calibrated" }>
  | { readonly kind: "not calibrated"; readonly file: string; readonly reason: string }
  | ReportEvent;

/**
 * A whole run: data, training with checkpoints, and at its end the best weights as `model.onnx`, compared with the training engine on real images,
 * and `report.html`.
 * @throws UsageError before anything is left in the directory. FivecropError; what is in the directory then is whole.
 */
export async function* run(config: RunConfig, options: RunOptions): AsyncGenerator<RunEvent, void, undefined> {
  const { out, resume, overwrite, createSession } = options;
  const complete = await withModelHash(completed(config));
  const { engine, threads } = complete;
  if (!resume) checkThreads({ engine, device: options.device, threads }); // a run to go on with may have taken a card beside its threads
  const candidates = candidatesFor({ engine, device: await deviceFor(engine!, options), threads, createSession });
  const whole = resume ? complete : await fittedToData(complete);
  if (!resume && !overwrite) await checkUnused(out);
  const unlock = await lockDirectory(out);
  try {
    if (!resume && !overwrite) await checkUnused(out); // another process may have left a run there just now
    yield* runInto(whole, candidates, options);
  } finally {
    await unlock();
  }
}

/** A run in a directory that is this process's own. */
async function* runInto(config: RunConfig, candidates: Candidates, options: RunOptions): AsyncGenerator<RunEvent, void, undefined> {
  const { out, dataRoot, report = true, strict, signal } = options;
  let finished = false;
  const start = options.resume ? undefined : await startWith(config, dataRoot);
  const parts = yield* prepareRun(config, options);
  const trained = parts && (yield* trainedData(parts, config, signal));
  if (!trained) {
    yield { kind: "stopped" };
    return;
  }
  const { training, validation } = trained.data;
  try {
    finished = yield* trainInto(config, options, { candidates, parts, trained, start });
  } finally {
    await Promise.all([training.dispose(), validation.dispose()]);
  }
  if (finished && report) yield* (await import("./report/report-run.node.ts")).makeReport(out, { dataRoot, strict, signal }); // echarts takes half a second to load
}

interface Prepared {
  readonly candidates: Candidates;
  readonly parts: RunParts;
  readonly trained: TrainedData;
  readonly start: Awaited<ReturnType<typeof startWith>> | undefined;
}

/** Trains on data that is open. @returns whether it came to its end */
async function* trainInto(
  asked: RunConfig,
  options: RunOptions,
  { candidates, parts, trained, start }: Prepared,
): AsyncGenerator<RunEvent, boolean, undefined> {
  const { out, report = true, signal } = options;
  let finished = false;
  const { frozen, optimizer, average, schedule, preprocess, training, validation } = parts;
  const { network, event: begins } = start?.(parts.network) ?? { network: parts.network };
  const { data: loaders, batchSize, augmentations } = trained;
  const checkpoints = fileCheckpoints(out);
  const resume = options.resume ? await readRunCheckpoint(out, "last", asked) : undefined;
  const [logEvery, patience] = [asked.logEvery || undefined, asked.patience || undefined];
  const fitOptions: FitOptions = {
    ...asked,
    batchSize,
    augmentations,
    logEvery,
    patience,
    schedule,
    preprocess,
    checkpoints,
    resume,
    signal,
  };

  const { sizes, threads } = asked;
  const failing = { out, batchSize, sizes, resumed: resume !== undefined };
  const chosen = await choose(candidates, {
    network: trainedNetwork({ network, frozen }),
    optimizer,
    average,
    threads,
    batchSize: Math.max(batchSize, ...(sizes ?? []).map((stage) => stage.batchSize ?? 0)),
    explain: (error, at) => explainDeviceError(error, { ...failing, begun: failing.resumed }, at),
  });
  const { create, versions, ...found } = chosen;
  if (found.engine !== "onnxruntime" || found.device !== "cpu" || found.refused.length) yield { kind: "engine", ...found };
  const config = { ...asked, engine: found.engine };
  const engine = create();
  /** A validation image's features are known, so that its answer costs next to nothing. */
  async function calibrateTrained(epoch: number, checkpoint: Checkpoint) {
    await engine.initialize(checkpoint.training);
    const answers = await answersOf(engine, loaders.validation, validationPlan(fitOptions));
    return fitCalibration(answers, { epoch, split: "validation", views: "none" });
  }
  let events: EventFile | undefined;
  let disposed = false;
  try {
    checkFit(engine, loaders, fitOptions);
    if (resume) await recordEngine(out, chosen);
    else {
      const nearDuplicates = yield* findNearDuplicates(config, parts, { ...options, preprocess, withTest: report });
      if (signal?.aborted) {
        yield { kind: "stopped" };
        return false;
      }
      await startDirectory(out, { config, preprocess, nearDuplicates, versions, device: found.device });
    }
    if (config.tensorboard) events = await createEventFile(join(out, RUN_FILES.tensorboard));
    yield {
      kind: "prepared",
      network: network.name,
      parameters: parameterCount(network),
      trained: frozen ? parameterCount(frozen.classifier) : parameterCount(network, true),
      training: training.length,
      ...(frozen && { views: trainedLength(parts, config) / training.length }),
      validation: validation.length,
      classes: training.classNames.length,
    };
    if (begins) yield begins;
    for await (const event of fit(engine, loaders, fitOptions)) {
      if (event.kind === "log") await writeWhole(join(out, RUN_FILES.log), logCsv(event.logs));
      if (event.kind === "epoch") await writeWhole(join(out, RUN_FILES.history), historyCsv(event.history));
      await events?.write(event);
      yield event;
      if (event.kind !== "end" || event.reason === "interrupted") continue;
      await writeCurves(out, event, config);
      const checkpoint = await readRunCheckpoint(out, "best", config);
      const epoch = epochOf(checkpoint);
      const file = join(out, RUN_FILES.model);
      const calibration = frozen && (await calibrateTrained(epoch, checkpoint));
      if (calibration && !("none" in calibration)) await writeCalibration(out, calibration);
      const { temperature } = (await readCalibration(out, epoch)) ?? {};
      yield await exportCheckpoint(file, { checkpoint, config, parts, temperature, engine });
      if (calibration)
        yield "none" in calibration
          ? { kind: "not calibrated", file, reason: calibration.none }
          : { kind: "calibrated", file, ...calibration };
      finished = true;
    }
  } catch (error) {
    if (isDeviceError(error)) {
      disposed = true;
      await engine.dispose().catch(() => undefined); // a lost device releases nothing any more
    }
    throw await explainDeviceError(error, { ...failing, begun: true }, chosen);
  } finally {
    await Promise.all([events?.close(), disposed || engine.dispose()]);
  }
  return finished;
}

async function writeCurves(out: string, { history, logs }: Extract<FitEvent, { kind: "end" }>, { model, data }: RunConfig): Promise<void> {
  const { curvesSvg } = await import("./report/curves.ts");
  await writeWhole(join(out, RUN_FILES.curves), curvesSvg(history, `${networkName(model)} on ${data}`, logs));
}
