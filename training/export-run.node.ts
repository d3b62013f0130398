import { dirname, join, resolve } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import { createSession } from "../core/session.node.ts";
import { withHeatMap } from "../export/grad-cam.ts";
import type { TrainingRecord } from "../export/metadata.ts";
import { writeSafetensors } from "../export/safetensors.ts";
import { VERSION } from "../export/version.ts";
import { makeSelfContained, withGoldenSamples } from "../inference/golden-samples.node.ts";
import { verifyExport } from "../inference/verify.ts";
import { finalOutput } from "../models/end-of-graph.ts";
import { publicName } from "../pipeline/datasets/index.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { TrainingEngine } from "./engine.ts";
import { createOnnxRuntimeEngine } from "./engines/onnxruntime.ts";
import { trainedModel } from "./export-trained.ts";
import { firstImages } from "./first-images.ts";
import { bestOf } from "./progress.ts";
import { readCalibration } from "./report/calibration-file.node.ts";
import type { RunConfig } from "./run-config.ts";
import { type CheckpointName, exportedFile, lockRun, readRunCheckpoint, readRunConfig, versions } from "./run-files.node.ts";
import { type DecodingEvent, prepareAgain, type RunParts } from "./run-parts.node.ts";
import { trainedInput, trainedNetwork } from "./trained-parts.node.ts";
import { inferenceWeights } from "./weight-average.ts";
import { publicWeights } from "./weights/read-weights.node.ts";

/** A file that was written. */
export interface Exported {
  readonly kind: "exported";
  readonly file: string;
  readonly bytes: number;
  /** The epoch, from 1, after which the weights were these. */
  readonly epoch: number;
  /** How many images the file was compared with the training engine on, and the largest difference of two probabilities there. */
  readonly images?: number;
  readonly largestDifference?: number;
  /** Where preprocessing is part of the graph: the views that it averages over, and how far its probabilities on its samples are from the ordinary path's. */
  readonly selfContained?: { readonly views: string; readonly largestDifference: number };
  /** Where Grad-CAM is its second output: the map of features that is looked at. */
  readonly layer?: string;
}

/** How many validation images an exported file is compared on. */
const VERIFIED_IMAGES = 64;

/** What to make of the forward graph besides an ONNX file of it. */
export interface FileOptions {
  /** Preprocessing, views and softmax become part of the graph. */
  readonly selfContained?: boolean;
  /** The views that a self-contained file averages over, `none` where they are left out. */
  readonly views?: string;
  /** Pictures' files for golden samples, in place of the generated ones. */
  readonly samples?: readonly string[];
  /** Grad-CAM of the most probable class becomes a second output. */
  readonly explain?: boolean;
  /** The node that it looks at; the last map of features where it is left out. */
  readonly layer?: string;
}

interface Trained {
  readonly checkpoint: Checkpoint;
  readonly config: RunConfig;
  readonly parts: RunParts;
  /** What `calibrate` found for these weights. */
  readonly temperature?: number;
}

/** The ONNX file of a checkpoint, as it is before it was compared with anything: without golden samples. */
export function modelFileOf({ checkpoint, config, parts: { network, preprocess }, temperature }: Trained, engine: string): Uint8Array {
  return trainedModel(network, checkpoint.training, {
    labels: checkpoint.classNames,
    preprocess,
    training: recordOf(checkpoint, config, network.name, engine),
    ...(temperature !== undefined && { temperature }),
  });
}

/** An ONNX file of a checkpoint with golden samples, written only after it gave the engine's answers on real images. @throws FivecropError where it does not. */
export async function exportCheckpoint(
  file: string,
  { checkpoint, config, parts, temperature, engine }: Trained & { readonly engine: TrainingEngine },
  options: FileOptions = {},
): Promise<Exported> {
  const { preprocess, validation } = parts;
  const plain = modelFileOf({ checkpoint, config, parts, temperature }, engine.name);
  const { model, layer } = options.explain ? withHeatMap(plain, { layer: options.layer, name: file }) : { model: plain };
  await engine.initialize(checkpoint.training);
  const images = await firstImages(validation, preprocess, VERIFIED_IMAGES);
  const { largestDifference } = await verifyExport(model, {
    createSession,
    images,
    expected: await engine.predict(await trainedInput(parts, images)),
    outputKind: finalOutput(parts.network.graph),
  });
  const { bytes, selfContained } = await finish(model, options);
  await writeWhole(file, bytes);
  return {
    kind: "exported",
    file,
    bytes: bytes.length,
    epoch: epochOf(checkpoint),
    images: images.shape[0],
    largestDifference,
    ...(selfContained && { selfContained }),
    ...(layer !== undefined && { layer }),
  };
}

async function finish(
  model: Uint8Array,
  { selfContained, views, samples: files }: FileOptions,
): Promise<{ readonly bytes: Uint8Array; readonly selfContained?: Exported["selfContained"] }> {
  if (!selfContained) return { bytes: await withGoldenSamples(model, { files }) };
  const { bytes, ...found } = await makeSelfContained(model, { views, files });
  return { bytes, selfContained: found };
}

export interface ExportRunOptions extends FileOptions {
  readonly checkpoint: CheckpointName;
  readonly format: "onnx" | "safetensors";
  /** The file to write; in the run's directory where it is left out, `model.onnx` for the best checkpoint. */
  readonly out?: string;
  /** The folder of all data sets: an ONNX file is compared with the training engine on images of the run's own. */
  readonly dataRoot: string;
  /** Aborted: nothing is written. */
  readonly signal?: AbortSignal;
}

/** Exports a checkpoint of a run's directory; first its pictures are decoded where they are not. @throws UsageError, FivecropError */
export async function* exportRun(run: string, options: ExportRunOptions): AsyncGenerator<DecodingEvent | Exported, void, undefined> {
  const changesRun = options.out === undefined || resolve(dirname(options.out)) === resolve(run);
  const unlock = changesRun ? await lockRun(run) : undefined;
  try {
    yield* exportInto(run, options);
  } finally {
    await unlock?.();
  }
}

async function* exportInto(run: string, options: ExportRunOptions): AsyncGenerator<DecodingEvent | Exported, void, undefined> {
  const { checkpoint: name, format, out, dataRoot, signal, selfContained, explain } = options;
  const config = await readRunConfig(run);
  const checkpoint = await readRunCheckpoint(run, name, config);
  const file = out ?? join(run, exportedFile(name, format, selfContained ? "self-contained" : explain ? "explained" : undefined));
  if (format === "safetensors") {
    const bytes = writeSafetensors(inferenceWeights(checkpoint.training), {
      format: "pt",
      architecture: checkpoint.network,
      createdBy: `fivecrop ${VERSION}`,
    });
    await writeWhole(file, bytes);
    yield { kind: "exported", file, bytes: bytes.length, epoch: epochOf(checkpoint) };
    return;
  }
  const parts = yield* prepareAgain(config, checkpoint, { dataRoot, signal });
  if (!parts) return;
  const { optimizer, average } = parts;
  const engine = createOnnxRuntimeEngine({ network: trainedNetwork(parts), optimizer, average, createSession, threads: config.threads });
  try {
    const temperature = (await readCalibration(run, epochOf(checkpoint)))?.temperature;
    yield await exportCheckpoint(file, { checkpoint, config, parts, temperature, engine }, options);
  } finally {
    await engine.dispose();
  }
}

/** `best` is kept after its epoch, `last` also in the middle of one: its weights are counted to the epoch under way. */
export const epochOf = ({ progress: { epoch, batch } }: Checkpoint): number => epoch + (batch > 0 ? 1 : 0);

/** How a checkpoint was trained, for its file's metadata. */
function recordOf(checkpoint: Checkpoint, config: RunConfig, model: string, engine: string): TrainingRecord {
  const { history, epoch, batch } = checkpoint.progress;
  const record = batch === 0 ? history.find((each) => each.epoch === epoch) : undefined;
  const { trainingAccuracy, trainingLoss, validationAccuracy, validationLoss } = record ?? {};
  const metrics = Object.entries({ trainingAccuracy, trainingLoss, validationAccuracy, validationLoss }).filter(
    ([, value]) => value !== undefined,
  );
  const data = publicName(config.data);
  return {
    arguments: { ...config, model, data, ...(config.weights && { weights: publicWeights(config.weights) }) }, // the file travels: it does not tell paths
    dataset: data,
    seed: config.seed,
    epochs: config.epochs,
    ...(record && bestOf(history) === record && { bestEpoch: record.epoch }),
    metrics: Object.fromEntries(metrics) as Record<string, number>,
    engine,
    versions: versions(),
  };
}
