// The public names in Node, each listed once.
import { createSession } from "./core/session.node.ts";
import type { Dataset } from "./pipeline/dataset.ts";
import type { TrainingEngine } from "./training/engine.ts";
import { createOnnxRuntimeEngine, type OnnxRuntimeEngineOptions } from "./training/engines/onnxruntime.ts";
import { type ExportTrainedOptions, exportTrained as exportCompared } from "./training/export-trained.ts";

export { DeviceLostError, DeviceMemoryError, FivecropError, PictureError, ShapeError, UsageError } from "./core/errors.ts";
export { type Random, random } from "./core/random.ts";
export { createSession } from "./core/session.node.ts";
export type { Device, Named, Session, SessionMaker, SessionOptions } from "./core/session.ts";
export { type DType, float32, int64, type Tensor, tensor, zeros } from "./core/tensor.ts";
export { type ExportOptions, exportOnnx } from "./export/export-onnx.ts";
export { type GradCam, type GradCamOptions, gradCam, withHeatMap } from "./export/grad-cam.ts";
export { type ImportedModel, type ImportOptions, importModel, type NetworkOfOptions, networkOf } from "./export/import-model.ts";
export { appendMetadata, type ModelMetadata, type OutputKind, readMetadata, type TrainingRecord } from "./export/metadata.ts";
export { parse } from "./export/parse.ts";
export { readSafetensors, writeSafetensors } from "./export/safetensors.ts";
export { type SelfContainedOptions, selfContained } from "./export/self-contained.ts";
export { serialize } from "./export/serialize.ts";
export { readTorchFile, type StateDict } from "./export/torch-file.node.ts";
export type { StoredTensor } from "./export/torch-tensors.ts";
export { abstains } from "./inference/abstain.ts";
export { type Adopted, type AdoptOptions, adopt } from "./inference/adopt.ts";
export { type Calibration, fitTemperature, type ReliabilityBin, type UntemperedAnswer } from "./inference/calibration.ts";
export type { DeviceCheck } from "./inference/check-device.ts";
export { loadClassifier, type NodeClassifierOptions } from "./inference/classifier.node.ts";
export type {
  Classification,
  Classifier,
  ClassifierOptions,
  ClassifyOptions,
  Prediction,
  ViewClassification,
} from "./inference/classifier.ts";
export { type ClassifyFilesOptions, classifyFiles, type FileAnswer } from "./inference/classify-files.ts";
export { type EvaluateOptions, type Evaluation, type EvaluationEvent, evaluate, evaluations } from "./inference/evaluate.ts";
export type { ExplainOptions, Explanation } from "./inference/explainer.ts";
export {
  type GoldenOptions,
  type VerifyFileOptions,
  verifyFile,
  verifyModel,
  withGoldenSamples,
  withTemperature,
} from "./inference/golden-samples.node.ts";
export type { ImageSource } from "./inference/image-source.node.ts";
export { pictureFiles } from "./inference/picture-files.node.ts";
export type { Metrics } from "./inference/tally.ts";
export { type VerifyOptions, verifyExport } from "./inference/verify.ts";
export {
  type Divergence,
  describeDivergence,
  type Verification,
  type VerifySamplesOptions,
  verifySamples,
} from "./inference/verify-samples.ts";
export { ARCHITECTURES, type Architecture, createNetwork, type NetworkOptions } from "./models/architectures/index.ts";
export { BACKBONES, type Backbone } from "./models/backbones.ts";
export { type Freeze, type FreezeOptions, freeze } from "./models/freeze.ts";
export { GraphBuilder } from "./models/graph/builder.ts";
export type { Graph, Node, Value } from "./models/graph/graph.ts";
export { print } from "./models/graph/print.ts";
export type { Head } from "./models/layers/head.ts";
export * as layers from "./models/layers/index.ts";
export { classCount, type Network, network, parameterCount } from "./models/network.ts";
export { graphBuilder, OPS } from "./models/ops/index.ts";
export { PRETRAINED } from "./models/pretrained.node.ts";
export { AUGMENTATIONS, type AugmentationSpec } from "./pipeline/augmentations/index.ts";
export { parseAugmentations } from "./pipeline/augmentations/text.ts";
export { createLoader } from "./pipeline/batches.node.ts";
export type { Batch, BatchPlan } from "./pipeline/batches.ts";
export { type Dataset, type DatasetDescription, type InMemoryOptions, inMemory, splitDataset, subset } from "./pipeline/dataset.ts";
export { DATASETS, type DatasetEntry, dataRoot, datasetEntry, openDataset } from "./pipeline/datasets/index.ts";
export { decodeImage, type NodeDecodeOptions, readImage } from "./pipeline/decode.node.ts";
export { heatPixels, overlayHeat } from "./pipeline/heat-map.ts";
export { createImage, type Image } from "./pipeline/image.ts";
export type { Loader } from "./pipeline/loader.ts";
export { type Packed, type PackOptions, type PackProgress, packPictures } from "./pipeline/pack.node.ts";
export { type PreprocessSpec, preprocess, validatePreprocess } from "./pipeline/preprocess.ts";
export { PRESETS } from "./pipeline/presets.ts";
export { type StratifiedSplit, stratifiedSplit } from "./pipeline/stratified-split.ts";
export { parseViews, VIEWS, type View, viewImages } from "./pipeline/views.ts";
export { fileCheckpoints } from "./training/checkpoint.node.ts";
export { type Checkpoint, type CheckpointStore, memoryCheckpoints } from "./training/checkpoint.ts";
export type { StepInput, StepResult, TrainingEngine, TrainingState } from "./training/engine.ts";
export { chooseEngine, type WantedEngine } from "./training/engines/choose.node.ts";
export type { ChosenEngine, EngineOptions, EngineReport, RefusedEngine } from "./training/engines/choose.ts";
export type { SizeStage } from "./training/epoch-plan.ts";
export type { ExportTrainedOptions } from "./training/export-trained.ts";
export { FEATURE_DEFAULTS } from "./training/features/feature-config.ts";
export { type FitData, type FitEvent, type FitOptions, fit } from "./training/fit.ts";
export { type AdamOptions, adam, adamw, createOptimizer, type Optimizer, type SgdOptions, sgd } from "./training/optimizers.ts";
export type { EpochRecord, LogRecord, Progress } from "./training/progress.ts";
export { RECIPES } from "./training/recipes/index.ts";
export type { Expectation, Recipe } from "./training/recipes/recipe.ts";
export type { ReportEvent, RunEvaluation } from "./training/report/report-run.node.ts";
export { type RunEvent, type RunOptions, run } from "./training/run.node.ts";
export { DEFAULTS, type RunConfig } from "./training/run-config.ts";
export { parseSchedule, type Schedule } from "./training/schedules.ts";
export { type CompileOptions, compileStep, writeStep } from "./training/step/index.ts";
export type { WeightAverage } from "./training/weight-average.ts";
export { type FittedWeights, fitWeights } from "./training/weights/fit-weights.ts";
export { readWeights } from "./training/weights/read-weights.node.ts";

/** A training engine on onnxruntime-node's CPU provider. */
export const createEngine = (options: Omit<OnnxRuntimeEngineOptions, "createSession">): TrainingEngine =>
  createOnnxRuntimeEngine({ ...options, createSession });

/** What an engine has trained as one self-sufficient ONNX file, compared with the engine on the first images of a data set. @throws FivecropError where they differ. */
export const exportTrained = (engine: TrainingEngine, dataset: Dataset, options: ExportTrainedOptions): Promise<Uint8Array> =>
  exportCompared(engine, dataset, { ...options, createSession });
