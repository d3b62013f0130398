import { join } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import { PROGRAM } from "../core/command-line.node.ts";
import { parameterCount } from "../models/network.ts";
import { checkFit } from "./check-fit.ts";
import { fileCheckpoints } from "./checkpoint.node.ts";
import { DEVICE_CHOICES, type DeviceChoice } from "./devices.ts";
import { type Exported, epochOf, exportCheckpoint } from "./export-run.node.ts";
import type { FeatureProgress } from "./features/compute.node.ts";
import { type FitEvent, type FitOptions, fit } from "./fit.ts";
import { type DeviceEvent, explainDeviceError, openEngine } from "./open-engine.node.ts";
import { type CalibrateEvent, makeCalibration } from "./report/calibrate-run.node.ts";
import { readCalibration } from "./report/calibration-file.node.ts";
import { historyCsv, logCsv } from "./report/history-csv.ts";
import type { ReportEvent } from "./report/report-run.node.ts";
import { completed, fittedToData, type RunConfig } from "./run-config.ts";
import { checkUnused, lockDirectory, RUN_FILES, readRunAbout, readRunCheckpoint, startDirectory } from "./run-files.node.ts";
import { type PrepareEvent, prepareRun } from "./run-parts.node.ts";
import { createEventFile, type EventFile } from "./tensorboard/event-file.node.ts";
import { trainedData, trainedNetwork } from "./trained-parts.node.ts";

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
  | FeatureProgress
  /** Stopped before the training began: nothing was written. */
  | { readonly kind: "stopped" }
  | {
      readonly kind: "prepared";
      readonly network: string;
      readonly parameters: number;
      readonly training: number;
      /** How many views of each, where features are trained on. */
      readonly views?: number;
      readonly validation: number;
      readonly classes: number;
    }
  | DeviceEvent
  | FitEvent
  | Exported
  | CalibrateEvent
  | ReportEvent;

/**
 * A whole run: data, training with checkpoints, and at its end the best weights as `model.onnx`, compared with the training engine on real images,
 * and `report.html`.
 * @throws UsageError before anything is left in the directory. FivecropError; what is in the directory then is whole.
 */
export async function* run(config: RunConfig, options: RunOptions): AsyncGenerator<RunEvent, void, undefined> {
  const { out, resume, overwrite } = options;
  const whole = await fittedToData(completed(config));
  if (!resume && !overwrite) checkUnused(out);
  const unlock = await lockDirectory(out);
  try {
    if (!resume && !overwrite) checkUnused(out); // another process may have left a run there just now
    yield* runInto(whole, options);
  } finally {
    await unlock();
  }
}

/** A run in a directory that is this process's own. */
async function* runInto(config: RunConfig, options: RunOptions): AsyncGenerator<RunEvent, void, undefined> {
  const { out, dataRoot, report = true, strict, signal } = options;
  let finished = false;
  const parts = yield* prepareRun(config, options);
  const trained = parts && (yield* trainedData(parts, config, signal));
  if (!trained) {
    yield { kind: "stopped" };
    return;
  }
  const { network, frozen, optimizer, average, schedule, preprocess, training, validation } = parts;
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

  const largest = Math.max(config.batchSize, ...(config.sizes ?? []).map((stage) => stage.batchSize ?? 0));
  const asked = {
    network: trainedNetwork(parts),
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
  let events: EventFile | undefined;
  try {
    checkFit(engine, loaders, fitOptions);
    if (!resume) await startDirectory(out, { config, preprocess, device });
    if (config.tensorboard) events = await createEventFile(join(out, RUN_FILES.tensorboard));
    yield {
      kind: "prepared",
      network: network.name,
      parameters: parameterCount(network),
      training: training.length,
      ...(frozen && { views: config.views }),
      validation: validation.length,
      classes: training.classNames.length,
    };
    for await (const event of fit(engine, loaders, fitOptions)) {
      if (event.kind === "log") await writeWhole(join(out, RUN_FILES.log), logCsv(event.logs));
      if (event.kind === "epoch") await writeWhole(join(out, RUN_FILES.history), historyCsv(event.history));
      await events?.write(event);
      yield event;
      if (event.kind !== "end" || event.reason === "interrupted") continue;
      await writeCurves(out, event, config);
      const checkpoint = await readRunCheckpoint(out, "best", config);
      const temperature = (await readCalibration(out, epochOf(checkpoint)))?.temperature;
      yield await exportCheckpoint(join(out, RUN_FILES.model), { checkpoint, config, parts, temperature, engine });
      finished = true;
    }
  } catch (error) {
    await engine.dispose().catch(() => undefined); // of a device that is lost
    throw await explainDeviceError(error, { ...asked, out, program: PROGRAM }, device);
  } finally {
    await Promise.all([events?.close(), engine.dispose(), loaders.training.dispose(), loaders.validation.dispose()]);
  }
  if (finished && frozen) yield* makeCalibration(out, { dataRoot, strict, signal, mayFail: true });
  if (finished && report) yield* (await import("./report/report-run.node.ts")).makeReport(out, { dataRoot, strict, signal }); // echarts takes half a second to load
}

/** @throws FivecropError where there is no run to go on with. */
async function deviceFor({ device, resume, out }: RunOptions): Promise<DeviceChoice> {
  if (device !== undefined || !resume) return device ?? "cpu";
  const then = (await readRunAbout(out)).environment.device;
  return DEVICE_CHOICES.find((choice) => choice === then) ?? "cpu";
}

async function writeCurves(out: string, { history, logs }: Extract<FitEvent, { kind: "end" }>, { model, data }: RunConfig): Promise<void> {
  const { curvesSvg } = await import("./report/curves.ts");
  await writeWhole(join(out, RUN_FILES.curves), curvesSvg(history, `${model} on ${data}`, logs));
}
