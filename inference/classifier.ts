import { checkWhole } from "../core/check.ts";
import { FivecropError } from "../core/errors.ts";
import type { Device, SessionMaker } from "../core/session.ts";
import type { Tensor } from "../core/tensor.ts";
import type { ModelMetadata } from "../export/metadata.ts";
import { checkImage, type Image } from "../pipeline/image.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { parseViews, type View, validateViews } from "../pipeline/views.ts";
import { createBatcher } from "./batcher.ts";
import { checkDevice, type DeviceCheck } from "./check-device.ts";
import { toClassification } from "./classification.ts";
import { batchOf, type Crops, cropSize, cropsOf, defaultBatchSize, inParts, mapLimited, roomsFor } from "./crops.ts";
import { createExplainer, type ExplainOptions, type Explanation } from "./explainer.ts";
import { type ContractOptions, checkPorts, contractOf, type Ports } from "./model-contract.ts";
import { runCrops } from "./run-crops.ts";
import { createSelfContained } from "./self-contained.ts";

export interface ClassifierOptions extends ContractOptions {
  /**
   * What computes, the processor. Another device replays the file's golden samples first (where it carries none, it is compared with the processor on
   * generated pictures), and is refused with the numbers where it is wrong.
   */
  readonly device?: Device;
  /** The most crops that go through the network at once: 64, or fewer where they are large (8 of 224 × 224). A picture's own views are never torn apart. */
  readonly batchSize?: number;
  /** What an error's message calls the model. */
  readonly name?: string;
}

export interface ClassifyOptions {
  /** By name (`none`, `flip`, `five-crop`, …) or one by one; the model's own where they are left out. */
  readonly views?: string | readonly View[];
  /** How many predictions to give, 5. */
  readonly top?: number;
  /** Also say which places of the picture spoke for the most probable class, or another: Grad-CAM, on the processor. The picture is read a second time. */
  readonly explain?: boolean | ExplainOptions;
}

export interface Prediction {
  readonly label: string;
  /** The column of the output, from 0. */
  readonly classIndex: number;
  readonly probability: number;
}

export interface Classification {
  /** The most probable classes, best first; of equal ones the one of the smaller index. */
  readonly predictions: readonly Prediction[];
  /** Of every class: the mean over the views. */
  readonly probabilities: Float32Array;
  /** What each view alone says; nothing where a self-contained model's graph averages over several itself. */
  readonly views: readonly ViewClassification[];
  /** Where it was asked for. */
  readonly explanation?: Explanation;
}

/** What one view alone says. */
export interface ViewClassification {
  readonly view: View;
  readonly predictions: readonly Prediction[];
  readonly probabilities: Float32Array;
}

/** A model that answers what is on a picture. @typeParam Source what it takes for a picture: on some platforms also paths and files. */
export interface Classifier<Source = Image> {
  readonly labels: readonly string[];
  readonly preprocess: PreprocessSpec;
  /** The views that are averaged over where none are named. */
  readonly views: string;
  /** What logits are divided by before their softmax; 1 where nothing says otherwise. */
  readonly temperature: number;
  readonly device: Device;
  /** How a device other than the processor was tried before it was used. */
  readonly deviceCheck: DeviceCheck | undefined;
  /** What the file says of itself, if anything. */
  readonly metadata: ModelMetadata | undefined;
  /** Calls that come while others are under way share batches with them, and are answered in their order. */
  classify(image: Source, options?: ClassifyOptions): Promise<Classification>;
  /** The same for several images, in batches of their own. */
  classifyBatch(images: readonly Source[], options?: ClassifyOptions): Promise<Classification[]>;
  /**
   * @param images pictures, or functions that read one: called a few at a time, so that a data set need not lie in memory.
   * @returns for each image and each view the probabilities of all classes; of a self-contained model one list, the mean over its own views.
   * @throws UsageError for a view that is none, or not among a self-contained model's own.
   */
  probabilities(images: readonly (Source | ReadImage)[], views: readonly View[]): Promise<Float64Array[][]>;
  /** What is not yet answered, or asked afterwards, is rejected. A second call waits for the first. */
  dispose(): Promise<void>;
}

export type ReadImage = () => Image | Promise<Image>;

/** What a platform gives to the classifier. */
export interface Platform<Source> {
  /** The device that stands for all others, and is never tried. */
  readonly processor: Device;
  readonly decode: (file: Uint8Array, name: string) => Image | Promise<Image>;
  readonly createSession: SessionMaker;
  readonly toImage: (source: Source) => Image | Promise<Image>;
  /** Where there are threads that read pictures and make their views; without them it is done here. */
  readonly createPreparer?: (spec: PreprocessSpec) => Preparer<Source>;
  /** Batches that are given to the session at once, 1; 2 where it has a thread of its own. */
  readonly batchesAtOnce?: number;
}

/** Makes pictures' views in other threads. */
export interface Preparer<Source> {
  prepare(source: Source, views: readonly View[]): Promise<Crops>;
  dispose(): Promise<void>;
}

/** Pictures that are read at the same time. */
const READERS = 4;

/**
 * A classifier from the bytes of an ONNX file, on any platform.
 * @throws UsageError where the file does not say its labels or preprocessing and the options neither.
 * @throws FivecropError where the model cannot be loaded, or does not fit to them; where the device is missing or wrong.
 */
export async function createClassifier<Source = Image>(
  model: Uint8Array,
  { createSession, toImage, decode, processor, createPreparer, batchesAtOnce = 1 }: Platform<Source>,
  options: ClassifierOptions = {},
): Promise<Classifier<Source>> {
  const { name = "the model", device = processor } = options;
  const contract = contractOf(model, options, name);
  if (contract.metadata?.selfContained)
    return createSelfContained(
      model,
      { createSession, toImage, decode, processor, createPreparer, batchesAtOnce },
      { ...options, contract, name },
    );
  const { batchSize = defaultBatchSize(contract.preprocess) } = options;
  checkWhole("batchSize", batchSize, 1);
  const defaultViews = parseViews(contract.views);
  const session = await createSession(model, { name, device, giveFeeds: true });
  let ports: Ports;
  let deviceCheck: DeviceCheck | undefined;
  try {
    ports = checkPorts(session, contract, name);
    if (device !== processor)
      deviceCheck = await checkDevice(model, { session, device, processor, createSession, decode, contract: options, name });
  } catch (error) {
    await session.dispose();
    throw error;
  }
  const { labels, preprocess } = contract;

  const preparer = createPreparer?.(preprocess);
  /** At once where the picture is there: a promise for each costs as much as normalizing a small one. */
  function prepare(source: Source | ReadImage, views: readonly View[], room?: Crops): Crops | Promise<Crops> {
    if (preparer && typeof source !== "function") return preparer.prepare(source as Source, views);
    const image = typeof source === "function" ? (source as ReadImage)() : toImage(source as Source);
    const cropped = (given: Image): Crops => cropsOf(checkImage(given, "a function that reads"), views, preprocess, room);
    return "then" in image ? image.then(cropped) : cropped(image);
  }
  const batcher = createBatcher({ most: batchSize, atOnce: batchesAtOnce, run: answer });

  let disposed: Promise<void> | undefined;
  const ended = (): FivecropError => new FivecropError(`${name}: the classifier was disposed of`);

  async function run(crops: Tensor<"float32">): Promise<Float64Array[]> {
    if (disposed) throw ended();
    return runCrops(session, crops, { contract, ports, name });
  }

  /** For each picture the probabilities of each of its views. A fixed batch is filled up with zeros. */
  async function answer(pictures: readonly Crops[]): Promise<Float64Array[][]> {
    const counts = pictures.map(({ length }) => length / cropSize(preprocess));
    const crops = batchOf(pictures, preprocess);
    const lists = ports.fixedBatch ? await inParts(crops, ports.fixedBatch, run) : await run(crops);
    return counts.map((count) => lists.splice(0, count));
  }

  async function probabilities(images: readonly (Source | ReadImage)[], views: readonly View[]): Promise<Float64Array[][]> {
    validateViews(views);
    if (disposed) throw ended();
    const atOnce = Math.max(1, Math.floor(batchSize / views.length));
    const read = (from: number): Promise<Crops[]> => {
      const part = images.slice(from, from + atOnce);
      const rooms = part.every((image) => typeof image === "function") ? roomsFor(part.length, views, preprocess) : [];
      return mapLimited(part, preparer ? atOnce : READERS, (image, i) => prepare(image, views, rooms[i]));
    };
    const results: Float64Array[][] = [];
    let next = read(0);
    for (let from = 0; from < images.length; from += atOnce) {
      const pictures = await next;
      next = read(from + atOnce); // while the network runs
      next.catch(() => undefined); // reported when its turn comes
      results.push(...(await answer(pictures)));
    }
    return results;
  }

  const explainer = createExplainer(model, {
    contract,
    ports,
    createSession: (bytes, sessionOptions) => createSession(bytes, { ...sessionOptions, device: processor }),
    batchSize,
    name,
  });

  async function end(): Promise<void> {
    batcher.close(ended());
    await Promise.all([session.dispose(), preparer?.dispose(), explainer.dispose()]);
  }

  function choose({ views: wanted = defaultViews, top = 5, explain }: ClassifyOptions) {
    checkWhole("top", top, 1);
    const views = typeof wanted === "string" ? parseViews(wanted) : validateViews(wanted);
    const explained = explain === true ? {} : explain || undefined;
    if (explained) explainer.check(explained);
    const answered = async (image: Source, lists: readonly Float64Array[]): Promise<Classification> => {
      const answer = toClassification(lists, views, labels, top);
      if (!explained) return answer;
      const [{ classIndex }] = answer.predictions;
      return { ...answer, explanation: await explainer.explain(() => toImage(image), views, classIndex, explained) };
    };
    return { views, answered };
  }

  return {
    labels,
    preprocess,
    views: contract.views,
    temperature: contract.temperature,
    device,
    deviceCheck,
    metadata: contract.metadata,
    async classify(image, classifyOptions = {}) {
      const { views, answered } = choose(classifyOptions);
      return answered(image, await batcher.add(views.length, async () => prepare(image, views)));
    },
    async classifyBatch(images, classifyOptions = {}) {
      const { views, answered } = choose(classifyOptions);
      const lists = await probabilities(images, views);
      return Promise.all(images.map((image, i) => answered(image, lists[i])));
    },
    probabilities,
    async dispose() {
      disposed ??= end();
      await disposed;
    },
  };
}
