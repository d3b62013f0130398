// The public names in a page or its worker, each listed once: no Node built-in is among what they import.
import { createSession } from "./core/session.browser.ts";
import { describeForeign, type ForeignModel } from "./inference/foreign-model.ts";
import type { Dataset } from "./pipeline/dataset.ts";
import { encodePng } from "./pipeline/encode.browser.ts";
import type { TrainingEngine } from "./training/engine.ts";
import { createOnnxRuntimeEngine, type OnnxRuntimeEngineOptions } from "./training/engines/onnxruntime.ts";
import { type ExportTrainedOptions, exportTrained as exportCompared } from "./training/export-trained.ts";
import { type MakeEvent, type MakeClassifierOptions as MakeOptions, makeClassifier as make } from "./training/make/make-classifier.ts";

export { DeviceLostError, DeviceMemoryError, FivecropError, PictureError, ShapeError, UsageError } from "./core/errors.ts";
export { type Random, random } from "./core/random.ts";
export type { Device } from "./core/session.ts";
export { type Tensor, tensor } from "./core/tensor.ts";
export { type ModelMetadata, readMetadata } from "./export/metadata.ts";
export { parse } from "./export/parse.ts";
export { abstains } from "./inference/abstain.ts";
export type { DeviceCheck } from "./inference/check-device.ts";
export { type ImageSource, loadClassifier } from "./inference/classifier.browser.ts";
export type {
  Classification,
  Classifier,
  ClassifierOptions,
  ClassifyOptions,
  Prediction,
  ViewClassification,
} from "./inference/classifier.ts";
export type { ExplainOptions, Explanation } from "./inference/explainer.ts";
export type { ForeignModel } from "./inference/foreign-model.ts";
export { parseLabels } from "./inference/labels.ts";
export { samplePictures } from "./inference/sample-pictures.ts";
export { verifyModel } from "./inference/verify-model.browser.ts";
export { type Divergence, describeDivergence, type Verification } from "./inference/verify-samples.ts";
export { ARCHITECTURES, createNetwork, type NetworkOptions } from "./models/architectures/index.ts";
export * as layers from "./models/layers/index.ts";
export { type Network, network } from "./models/network.ts";
export { type Dataset, type InMemoryOptions, inMemory, splitDataset } from "./pipeline/dataset.ts";
export { decodeImage } from "./pipeline/decode.browser.ts";
export type { DecodeOptions } from "./pipeline/decode.ts";
export { heatPixels, overlayHeat } from "./pipeline/heat-map.ts";
export { createImage, type Image, rgbaPixels } from "./pipeline/image.ts";
export { hereLoader, type Loader } from "./pipeline/loader.ts";
export { type PreprocessSpec, preprocess } from "./pipeline/preprocess.ts";
export { PRESETS } from "./pipeline/presets.ts";
export { nameOfView, parseViews, VIEWS, type View, viewRectangle } from "./pipeline/views.ts";
export { type CheckpointStore, memoryCheckpoints } from "./training/checkpoint.ts";
export type { TrainingEngine, TrainingState } from "./training/engine.ts";
export type { ExportTrainedOptions } from "./training/export-trained.ts";
export { type FitEvent, type FitOptions, fit } from "./training/fit.ts";
export { type KeptBytes, keptCheckpoints } from "./training/kept-checkpoints.ts";
export type { Approach } from "./training/make/approaches.ts";
export type { FeatureStore, MakeEvent } from "./training/make/make-classifier.ts";
export { adam, adamw, sgd } from "./training/optimizers.ts";
export type { EpochRecord } from "./training/progress.ts";
export { parseSchedule } from "./training/schedules.ts";

/** A training engine on onnxruntime-web. */
export const createEngine = (options: Omit<OnnxRuntimeEngineOptions, "createSession">): TrainingEngine =>
  createOnnxRuntimeEngine({ ...options, createSession });

/** What an engine has trained as one self-sufficient ONNX file, compared with the engine on the first images of a data set. @throws FivecropError where they differ. */
export const exportTrained = (engine: TrainingEngine, dataset: Dataset, options: ExportTrainedOptions): Promise<Uint8Array> =>
  exportCompared(engine, dataset, { ...options, createSession });

/** What a model without metadata takes and gives, and presets that fit it; `undefined` where its file carries metadata. @throws FivecropError where it is no classifier. */
export const describeModel = (model: Uint8Array, name = "the model"): Promise<ForeignModel | undefined> =>
  describeForeign(model, createSession, name);

export type MakeClassifierOptions = Omit<MakeOptions, "createSession" | "processor" | "encode">;

/** Trains a classifier on a few pictures of each class, and exports it as one ONNX file: `for await (const event of makeClassifier(dataset, options))`. */
export const makeClassifier = (dataset: Dataset, options: MakeClassifierOptions): AsyncGenerator<MakeEvent, void, undefined> =>
  make(dataset, { ...options, createSession, processor: "wasm", encode: encodePng });
