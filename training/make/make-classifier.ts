import { DeviceLostError, messageOf } from "../../core/errors.ts";
import type { Device, SessionMaker } from "../../core/session.ts";
import { carrySamples } from "../../inference/carry-samples.ts";
import { samplePictures } from "../../inference/sample-pictures.ts";
import { verifyExport } from "../../inference/verify.ts";
import type { Dataset } from "../../pipeline/dataset.ts";
import type { Image } from "../../pipeline/image.ts";
import { hereLoader, type Loader } from "../../pipeline/loader.ts";
import { resizedOnce } from "../../pipeline/resized-once.ts";
import type { CheckpointStore } from "../checkpoint.ts";
import { checkTrainingDevice } from "../device-check.ts";
import type { TrainingEngine } from "../engine.ts";
import { createOnnxRuntimeEngine } from "../engines/onnxruntime.ts";
import { trainedModel } from "../export-trained.ts";
import { featureLoader } from "../features/feature-loader.ts";
import { featuresOf, runBackbone } from "../features/run-backbone.ts";
import { firstImages } from "../first-images.ts";
import { type FitEvent, fit } from "../fit.ts";
import { adam } from "../optimizers.ts";
import { parseSchedule } from "../schedules.ts";
import { type Approach, type Plan, planFor } from "./approaches.ts";
import { checkBackbone } from "./check-backbone.ts";
import { type Chosen, chooseDevice, stoppable } from "./choose-device.ts";
import { holdOut } from "./hold-out.ts";

/** Where features are kept between a stop and going on. */
export interface FeatureStore {
  load(name: string): Promise<Float32Array | undefined>;
  save(name: string, features: Float32Array): Promise<void>;
}

export interface MakeClassifierOptions {
  readonly approach: Approach;
  /** The bytes of the standard backbone's file; needed for its features. */
  readonly backbone?: Uint8Array;
  readonly epochs: number;
  /** A mirrored picture shows the same, true. */
  readonly mirror?: boolean;
  readonly seed?: number;
  readonly device: Device | "auto";
  /** The device that stands for all others. */
  readonly processor: Device;
  readonly createSession: SessionMaker;
  /** A picture as a PNG's bytes: for the golden samples that the file carries. */
  readonly encode: (image: Image) => Promise<Uint8Array>;
  readonly checkpoints: CheckpointStore;
  readonly features: FeatureStore;
  /** Go on from the last checkpoint, where there is one. */
  readonly resume?: boolean;
  /** Aborted: what is under way is finished and saved, and it ends. */
  readonly signal?: AbortSignal;
}

export type MakeEvent =
  | ({ readonly kind: "device"; readonly of: "features" | "training" } & Chosen)
  | { readonly kind: "features"; readonly done: number; readonly total: number }
  | FitEvent
  | { readonly kind: "stopped" }
  | { readonly kind: "exporting" }
  | {
      readonly kind: "made";
      /** One self-sufficient ONNX file, with golden samples. */
      readonly bytes: Uint8Array;
      /** Pictures on which it was compared with the training engine, and the largest difference of two probabilities there. */
      readonly compared: number;
      readonly largestDifference: number;
    };

/** Which device computes what is next, and what others were refused for. */
interface Placement {
  device: Device;
  refused?: string;
}

/** Pictures that an exported file is compared on. */
const COMPARED = 16;

/**
 * A classifier from a few pictures of each class: trains it, and exports it, on any platform.
 * @throws UsageError, FivecropError as `fit` does; where a device was asked for that is not there or not right; where the file differs from what was trained.
 */
export async function* makeClassifier(dataset: Dataset, options: MakeClassifierOptions): AsyncGenerator<MakeEvent, void, undefined> {
  const at: Placement = { device: options.processor };
  try {
    yield* make(dataset, options, at);
  } catch (error) {
    if (!(error instanceof DeviceLostError)) throw error;
    const saved = (await options.checkpoints.load("last")) !== undefined;
    const places = [...new Set([at.device, options.processor])].join(" or on ");
    const next = saved
      ? `The last checkpoint is whole. To go on from it: resume, on ${places}.`
      : `There is no checkpoint yet. To fix: train anew, on ${places}.`;
    throw new DeviceLostError(`${at.device} was lost in the middle of the run: ${messageOf(error)} ${next}`, { cause: error });
  }
}

async function* make(dataset: Dataset, options: MakeClassifierOptions, at: Placement): AsyncGenerator<MakeEvent, void, undefined> {
  const { approach, backbone, epochs, mirror = true, seed = 0, device: choice, processor, createSession, checkpoints, signal } = options;
  const split = holdOut(dataset, seed);
  const plan = planFor(approach, { classes: dataset.classNames.length, pictures: split.training.length, mirror, backbone });
  const training = resizedOnce(split.training, plan.preprocess);
  const validation = split.validation && resizedOnce(split.validation, plan.preprocess);
  const loaders = yield* loadersOf({ training, validation }, plan, options, at);
  if (!loaders) return yield { kind: "stopped" };
  const engineOn = (device: Device, make = createSession): TrainingEngine =>
    createOnnxRuntimeEngine({ network: plan.trained, optimizer: adam(), createSession: make, device });
  const chosen = await chooseDevice({
    choice,
    processor,
    refused: at.refused,
    tryOn: async (device, stop) => {
      const trial = stoppable(createSession, stop);
      const engineFor = (where: Device): TrainingEngine => engineOn(where, trial);
      const { seconds, loss } = await checkTrainingDevice({ device, processor, images: plan.batchSize, engineOn: engineFor });
      return { seconds, proof: `its loss after a step differs by ${(100 * loss).toPrecision(1)} %` };
    },
  });
  at.device = chosen.device;
  yield { kind: "device", of: "training", ...chosen };
  const engine = engineOn(chosen.device);
  try {
    const { preprocess, batchSize, learningRate, labelSmoothing } = plan;
    const augmentations = plan.source ? [] : plan.augmentations; // the features saw them
    const resume = options.resume ? await checkpoints.load("last") : undefined;
    const schedule = parseSchedule(plan.schedule);
    const fitOptions = {
      preprocess,
      epochs,
      batchSize,
      learningRate,
      labelSmoothing,
      augmentations,
      schedule,
      seed,
      checkpoints,
      resume,
      signal,
    };
    let end: Extract<FitEvent, { kind: "end" }> | undefined;
    for await (const event of fit(engine, loaders, fitOptions)) {
      yield event;
      if (event.kind === "end") end = event;
    }
    if (!end || end.reason === "interrupted") return;
    yield { kind: "exporting" };
    const last = end.history.at(-1);
    const { trainingAccuracy, validationAccuracy } = last ?? {};
    const metrics = Object.entries({ trainingAccuracy, validationAccuracy }).filter(([, value]) => value !== undefined);
    const record = {
      dataset: dataset.name,
      seed,
      epochs,
      engine: engine.name,
      metrics: Object.fromEntries(metrics) as Record<string, number>,
    };
    const model = trainedModel(plan.network, await engine.state(), { labels: dataset.classNames, preprocess, training: record });
    const images = await firstImages(validation ?? training, preprocess, COMPARED);
    const given = plan.source ? await featuresOf(plan.source.bytes, plan.source.backbone.features, images, createSession) : images;
    const { largestDifference } = await verifyExport(model, { createSession, images, expected: await engine.predict(given) });
    const bytes = await carrySamples(model, () => generated(options.encode), { createSession, name: dataset.name });
    yield { kind: "made", bytes, compared: images.shape[0], largestDifference };
  } finally {
    await engine.dispose();
  }
}

const generated = (encode: MakeClassifierOptions["encode"]) =>
  Promise.all(samplePictures().map(async ({ name, image }) => ({ name, image, file: await encode(image) })));

interface Loaders {
  readonly training: Loader;
  readonly validation?: Loader;
}

/** What `fit` reads: the pictures, or their features, computed once. @returns undefined where `signal` stopped it */
async function* loadersOf(
  { training, validation }: ReturnType<typeof holdOut>,
  plan: Plan,
  options: MakeClassifierOptions,
  at: Placement,
): AsyncGenerator<MakeEvent, Loaders | undefined, undefined> {
  const { source } = plan;
  if (!source) return { training: hereLoader(training), ...(validation && { validation: hereLoader(validation) }) };
  const { features: width } = source.backbone;
  const parts = [
    { name: "training", dataset: training, views: plan.views, augmentations: plan.augmentations },
    ...(validation ? [{ name: "validation", dataset: validation, views: 1, augmentations: [] }] : []),
  ];
  const found = new Map<string, Float32Array>();
  for (const { name, dataset, views } of parts) {
    const kept = await options.features.load(name);
    if (kept?.length === views * dataset.length * width) found.set(name, kept);
  }
  const missing = parts.filter(({ name }) => !found.has(name));
  if (missing.length > 0) {
    const { device: choice, processor, createSession, signal, seed = 0 } = options;
    const chosen = await chooseDevice({
      choice,
      processor,
      tryOn: (device, stop) => checkBackbone(source, { device, processor, createSession: stoppable(createSession, stop) }),
    });
    at.device = chosen.device;
    at.refused = chosen.refused;
    yield { kind: "device", of: "features", ...chosen };
    const total = missing.reduce((sum, { dataset, views }) => sum + views * dataset.length, 0);
    let done = 0;
    const session = await createSession(source.bytes, { name: "the backbone", device: chosen.device });
    try {
      for (const { name, dataset, views, augmentations } of missing) {
        const features = new Float32Array(views * dataset.length * width);
        const run = { session, loader: hereLoader(dataset), plan: { seed, preprocess: plan.preprocess, augmentations }, width, first: 0 };
        for (let view = 0; view < views; view++) {
          const target = features.subarray(view * dataset.length * width, (view + 1) * dataset.length * width);
          for await (const count of runBackbone({ ...run, view, target })) {
            done += count;
            yield { kind: "features", done, total };
            if (signal?.aborted) return undefined;
          }
        }
        await options.features.save(name, features);
        found.set(name, features);
      }
    } finally {
      await session.dispose();
    }
  }
  const loader = (name: string, dataset: Dataset): Loader => featureLoader(dataset, found.get(name)!, width);
  return { training: loader("training", training), ...(validation && { validation: loader("validation", validation) }) };
}
