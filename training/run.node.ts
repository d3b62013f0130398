import { join } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import { PROGRAM } from "../core/command-line.node.ts";
import { parameterCount } from "../models/network.ts";
import { answersOf } from "./calibrate-trained.ts";
import { checkFit } from "./check-fit.ts";
import { fileCheckpoints } from "./checkpoint.node.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { DEVICE_CHOICES, type DeviceChoice } from "./devices.ts";
import { type ChosenEngine, chooseEngine } from "./engines/choose.node.ts";
import type { EngineName } from "./engines/names.ts";
import { validationPlan } from "./epoch-plan.ts";
import { type Exported, epochOf, exportCheckpoint } from "./export-run.node.ts";
import type { FeatureProgress } from "./features/compute.node.ts";
import { type FitEvent, type FitOptions, fit } from "./fit.ts";
import { withModelHash } from "./model-file.node.ts";
import { type ComparingEvent, findNearDuplicates } from "./near-duplicates.node.ts";
import { type DeviceEvent, explainDeviceError, isDeviceError, openEngine } from "./open-engine.node.ts";
import type { CalibrateEvent } from "./report/calibrate-run.node.ts";
import { readCalibration, writeCalibration } from "./report/calibration-file.node.ts";
import { fitCalibration } from "./report/fit-calibration.ts";
import { historyCsv, logCsv } from "./report/history-csv.ts";
import type { ReportEvent } from "./report/report-run.node.ts";
import { completed, fittedToData, networkName, type RunConfig } from "./run-config.ts";
import { checkUnused, lockDirectory, RUN_FILES, readRunAbout, readRunCheckpoint, recordEngine, startDirectory } from "./run-files.node.ts";
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
  /** Where the steps are computed: cpu where it is left out, or where the run to go on with was computed. */
  readonly device?: DeviceChoice;
  readonly signal?: AbortSignal;
}

export type RunEvent =
  | PrepareEvent
  /** What computes the steps, and why, where that was not said or is not the usual. */
  | { readonly kind: "engine"; readonly engine: EngineName; readonly why: string }
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
  | DeviceEvent
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
  const { out, resume, overwrite } = options;
  const { engine: wanted, ...others } = await withModelHash(completed(config));
  const chosen = chooseEngine(wanted!, config.threads);
  const complete = { ...others, engine: chosen.engine };
  const whole = resume ? complete : await fittedToData(complete);
  if (!resume && !overwrite) checkUnused(out);
  const unlock = await lockDirectory(out);
  try {
    if (!resume && !overwrite) checkUnused(out); // another process may have left a run there just now
    if (wanted === "auto" || chosen.engine !== "onnxruntime") yield { kind: "engine", engine: chosen.engine, why: chosen.why };
    yield* runInto(whole, chosen, options);
  } finally {
    await unlock();
  }
}

/** A run in a directory that is this process's own. */
async function* runInto(config: RunConfig, chosen: ChosenEngine, options: RunOptions): AsyncGenerator<RunEvent, void, undefined> {
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
    finished = yield* trainInto(config, options, { chosen, parts, trained, start });
  } finally {
    await Promise.all([training.dispose(), validation.dispose()]);
  }
  if (finished && report) yield* (await import("./report/report-run.node.ts")).makeReport(out, { dataRoot, strict, signal }); // echarts takes half a second to load
}

interface Prepared {
  readonly chosen: ChosenEngine;
  readonly parts: RunParts;
  readonly trained: TrainedData;
  readonly start: Awaited<ReturnType<typeof startWith>> | undefined;
}

/** Trains on data that is open. @returns whether it came to its end */
async function* trainInto(
  config: RunConfig,
  options: RunOptions,
  { chosen, parts, trained, start }: Prepared,
): AsyncGenerator<RunEvent, boolean, undefined> {
  const { out, report = true, signal } = options;
  let finished = false;
  const { frozen, optimizer, average, schedule, preprocess, training, validation } = parts;
  const { network, event: begins } = start?.(parts.network) ?? { network: parts.network };
  const { data: loaders, batchSize, augmentations } = trained;
  const checkpoints = fileCheckpoints(out);
  const resume = options.resume ? await readRunCheckpoint(out, "last", config) : undefined;
  const [logEvery, patience] = [config.logEvery || undefined, config.patience || undefined];
  const fitOptions: FitOptions = {
    ...config,
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

  const largest = Math.max(batchSize, ...(config.sizes ?? []).map((stage) => stage.batchSize ?? 0));
  const asked = {
    chosen,
    network: trainedNetwork({ network, frozen }),
    optimizer,
    average,
    threads: config.threads,
    device: await deviceFor(options),
    batchSize: largest,
  };
  const opening = openEngine(asked);
  let opened = await opening.next();
  const taken = opened.done ? undefined : opened.value;
  for (; !opened.done; opened = await opening.next()) yield opened.value;
  const engine = opened.value;
  const device = taken?.device ?? "cpu";
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
    if (resume) await recordEngine(out, config, chosen.versions);
    else {
      const nearDuplicates = yield* findNearDuplicates(config, parts, { ...options, preprocess, withTest: report });
      if (signal?.aborted) {
        yield { kind: "stopped" };
        return false;
      }
      await startDirectory(out, { config, preprocess, nearDuplicates, versions: chosen.versions, device });
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
    throw await explainDeviceError(error, { ...asked, out, program: PROGRAM }, device);
  } finally {
    await Promise.all([events?.close(), disposed || engine.dispose()]);
  }
  return finished;
}

/** @throws FivecropError where there is no run to go on with. */
async function deviceFor({ device, resume, out }: RunOptions): Promise<DeviceChoice> {
  if (device !== undefined || !resume) return device ?? "cpu";
  const then = (await readRunAbout(out)).environment.device;
  return DEVICE_CHOICES.find((choice) => choice === then) ?? "cpu";
}

async function writeCurves(out: string, { history, logs }: Extract<FitEvent, { kind: "end" }>, { model, data }: RunConfig): Promise<void> {
  const { curvesSvg } = await import("./report/curves.ts");
  await writeWhole(join(out, RUN_FILES.curves), curvesSvg(history, `${networkName(model)} on ${data}`, logs));
}
