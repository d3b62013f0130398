import { FivecropError, UsageError } from "../core/errors.ts";
import type { SessionMaker } from "../core/session.ts";
import { rows, type Tensor, tensor } from "../core/tensor.ts";
import type { ModelMetadata } from "../export/metadata.ts";
import type { Image } from "../pipeline/image.ts";
import { normalizeInto, type PreprocessSpec } from "../pipeline/preprocess.ts";
import { parseViews, type View, viewImages } from "../pipeline/views.ts";
import { type Contract, type ContractOptions, checkPorts, contractOf, type Ports } from "./model-contract.ts";
import { largest, mean, toProbabilities } from "./probabilities.ts";

export interface ClassifierOptions extends ContractOptions {
  /** Threads of the runtime; its own choice where it is left out. */
  readonly threads?: number;
  /** The most crops that go through the network at once, 64: more need more memory. A picture's own views are never torn apart. */
  readonly batchSize?: number;
  /** What an error's message calls the model. */
  readonly name?: string;
}

export interface ClassifyOptions {
  /** By name (`none`, `flip`, `five-crop`, …) or one by one; the model's own where they are left out. */
  readonly views?: string | readonly View[];
  /** How many predictions to give, 5. */
  readonly top?: number;
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
  /** What each view alone says. */
  readonly views: readonly ViewClassification[];
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
  /** What the file says of itself, if anything. */
  readonly metadata: ModelMetadata | undefined;
  classify(image: Source, options?: ClassifyOptions): Promise<Classification>;
  /** The same for several images, in batches. */
  classifyBatch(images: readonly Source[], options?: ClassifyOptions): Promise<Classification[]>;
  /**
   * @param images pictures, or functions that read one: called a few at a time, so that a data set need not lie in memory.
   * @returns for each image and each view the probabilities of all classes.
   */
  probabilities(images: readonly (Source | ReadImage)[], views: readonly View[]): Promise<Float64Array[][]>;
  dispose(): Promise<void>;
}

export type ReadImage = () => Image | Promise<Image>;

/** What a platform gives to the classifier. */
export interface Platform<Source> {
  readonly createSession: SessionMaker;
  readonly toImage: (source: Source) => Image | Promise<Image>;
}

/** Pictures that are read at the same time. */
const READERS = 4;

/**
 * A classifier from the bytes of an ONNX file, on any platform.
 * @throws UsageError where the file does not say its labels or preprocessing and the options neither.
 * @throws FivecropError where the model cannot be loaded, or does not fit to them.
 */
export async function createClassifier<Source = Image>(
  model: Uint8Array,
  { createSession, toImage }: Platform<Source>,
  options: ClassifierOptions = {},
): Promise<Classifier<Source>> {
  const { name = "the model", batchSize = 64, threads } = options;
  if (!(Number.isInteger(batchSize) && batchSize >= 1))
    throw new UsageError(`batchSize: expected a whole number from 1, received ${batchSize}`);
  const contract = contractOf(model, options, name);
  const defaultViews = parseViews(contract.views);
  const session = await createSession(model, { threads });
  let ports: Ports;
  try {
    ports = checkPorts(session, contract, name);
  } catch (error) {
    await session.dispose();
    throw error;
  }
  const { labels, preprocess } = contract;

  /** float32 [n, C, H, W] → n lists of probabilities; a fixed batch is filled up with zeros. */
  async function run(crops: Tensor<"float32">): Promise<Float64Array[]> {
    const { [ports.output]: output } = await session.run({ [ports.input]: crops });
    if (output.shape.length !== 2 || output.shape[1] !== labels.length)
      throw new FivecropError(
        `${name}: its output is [${output.shape}], ${labels.length} labels need [N,${labels.length}]. To fix: give a label for each class.`,
      );
    return Array.from({ length: crops.shape[0] }, (_, i) =>
      toProbabilities(rows(output, i, i + 1).data as Float32Array, contract.outputKind),
    );
  }

  async function probabilities(images: readonly (Source | ReadImage)[], views: readonly View[]): Promise<Float64Array[][]> {
    const atOnce = Math.max(1, Math.floor(batchSize / views.length));
    const results: Float64Array[][] = [];
    for (let from = 0; from < images.length; from += atOnce) {
      const crops = await cropsOf(images.slice(from, from + atOnce), views, preprocess, toImage);
      const lists = ports.fixedBatch ? await inParts(crops, ports.fixedBatch, run) : await run(crops);
      for (let i = 0; i < lists.length; i += views.length) results.push(lists.slice(i, i + views.length));
    }
    return results;
  }

  async function classifyBatch(
    images: readonly Source[],
    { views = defaultViews, top = 5 }: ClassifyOptions = {},
  ): Promise<Classification[]> {
    if (!(Number.isInteger(top) && top >= 1)) throw new UsageError(`top: expected a whole number from 1, received ${top}`);
    const chosen = typeof views === "string" ? parseViews(views) : views;
    if (chosen.length === 0) throw new UsageError("views: expected at least one view, received none");
    return (await probabilities(images, chosen)).map((lists) => toClassification(lists, chosen, labels, top));
  }

  return {
    labels,
    preprocess,
    views: contract.views,
    metadata: contract.metadata,
    classify: async (image, classifyOptions) => (await classifyBatch([image], classifyOptions))[0],
    classifyBatch,
    probabilities,
    dispose: () => session.dispose(),
  };
}

function toClassification(lists: readonly Float64Array[], views: readonly View[], labels: Contract["labels"], top: number): Classification {
  const all = mean(lists);
  const best = (list: Float64Array): Prediction[] =>
    largest(list, top).map((classIndex) => ({ label: labels[classIndex], classIndex, probability: list[classIndex] }));
  return {
    predictions: best(all),
    probabilities: Float32Array.from(all),
    views: views.map((view, i) => ({ view, predictions: best(lists[i]), probabilities: Float32Array.from(lists[i]) })),
  };
}

/** All views of some images, image by image: float32 [images · views, C, H, W]. */
async function cropsOf<Source>(
  sources: readonly (Source | ReadImage)[],
  views: readonly View[],
  spec: PreprocessSpec,
  toImage: Platform<Source>["toImage"],
): Promise<Tensor<"float32">> {
  const size = spec.channels * spec.crop[0] * spec.crop[1];
  const data = new Float32Array(sources.length * views.length * size);
  let next = 0;
  const read = async () => {
    while (next < sources.length) {
      const i = next++;
      const source = sources[i];
      const image = await (typeof source === "function" ? (source as ReadImage)() : toImage(source as Source));
      viewImages(image, views, spec).forEach((view, k) => {
        normalizeInto(view, spec, data, (i * views.length + k) * size);
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(READERS, sources.length) }, read));
  return tensor("float32", [sources.length * views.length, spec.channels, ...spec.crop], data);
}

/** Runs a model of one batch size, part by part; the last part is filled up with zeros. */
async function inParts<T>(crops: Tensor<"float32">, batch: number, run: (part: Tensor<"float32">) => Promise<T[]>): Promise<T[]> {
  const results: T[] = [];
  const [count, ...image] = crops.shape;
  for (let from = 0; from < count; from += batch) {
    const part = rows(crops, from, Math.min(count, from + batch));
    const data = new Float32Array(batch * (crops.data.length / count));
    data.set(part.data);
    results.push(...(await run(tensor("float32", [batch, ...image], data))).slice(0, part.shape[0]));
  }
  return results;
}
