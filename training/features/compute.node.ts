import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { writeWhole } from "../../core/atomic-file.node.ts";
import { createCalls } from "../../core/calls.node.ts";
import { FivecropError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-error.ts";
import { makeDirectoryFor } from "../../core/make-directory.node.ts";
import { RUNTIME_VERSION } from "../../core/session.node.ts";
import { bytes } from "../../core/text.ts";
import { watch } from "../../core/watch.ts";
import type { BatchPlan } from "../../pipeline/batches.ts";
import { cacheFolder } from "../../pipeline/cache.node.ts";
import type { Dataset } from "../../pipeline/dataset.ts";
import type { FeatureThreadData } from "./compute.thread.node.ts";
import { COUNTERS, createCounters, type Lane, type LaneOptions, openLane } from "./lane.node.ts";
import { FEATURE_BATCH, type ViewRange } from "./run-backbone.ts";

/** What is looked at: images of a data set, so many views of each, drawn by a seed. */
export interface FeatureSource {
  readonly dataset: Dataset;
  readonly split: string;
  readonly views: number;
  /** View v of image i is image i of epoch v of this plan. */
  readonly plan: Pick<BatchPlan, "seed" | "preprocess" | "augmentations">;
}

export interface FeatureOptions {
  /** The bytes of an ONNX file: images → features [N, width]. */
  readonly backbone: Uint8Array;
  readonly width: number;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  /** The folder that folders of features are in. */
  readonly cache?: string;
}

/** How far the computing is, in views of images. */
export interface FeatureProgress {
  readonly kind: "features";
  readonly split: string;
  readonly done: number;
  readonly total: number;
  /** Of those that are computed now, not found computed. */
  readonly imagesPerSecond: number;
}

/** Raised where what is written, or how it is made, changes. */
const FORMAT = 1;
/** Images in a file: what is lost where the computing is cut off, one to two seconds of work. */
const CHUNK = 32 * FEATURE_BATCH;
/** The most that is held in memory: above it a machine of 8 GB would swap. */
const MOST_BYTES = 4e9;
const BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Everything that the features depend on. Decoded pictures are known by their folder's name, which is the hash of their sources. */
async function keyOf({ dataset, views, plan }: FeatureSource, backbone: Uint8Array): Promise<string> {
  const hash = createHash("sha256");
  const { packed, indices } = dataset.description ?? {};
  const pictures = packed === undefined ? await hashOfPixels(dataset) : basename(packed);
  const model = createHash("sha256").update(backbone).digest("hex");
  hash.update(JSON.stringify([FORMAT, RUNTIME_VERSION, FEATURE_BATCH, CHUNK, model, pictures, indices, dataset.length, views, plan]));
  return hash.digest("hex").slice(0, 32);
}

async function hashOfPixels(dataset: Dataset): Promise<string> {
  const hash = createHash("sha256");
  for (let i = 0; i < dataset.length; i++) {
    const { width, height, channels, data } = await dataset.image(i);
    hash.update(`${width}x${height}x${channels}`).update(data);
  }
  return hash.digest("hex");
}

/**
 * Computes the features of a data set's images once, into a folder of the cache, where they are found from then on. An unfinished folder is gone on with.
 * @returns view after view, in each the images in their order: [views · images, width]; undefined where `signal` stopped it.
 * @throws FivecropError where they are too many for the memory, or the cache cannot be written.
 */
export async function* computeFeatures(
  source: FeatureSource,
  options: FeatureOptions,
): AsyncGenerator<FeatureProgress, Float32Array<ArrayBuffer> | undefined, undefined> {
  const { dataset, split, views } = source;
  const { backbone, width, threads, signal, cache = cacheFolder("features") } = options;
  const total = views * dataset.length;
  const size = total * width * BYTES;
  if (size > MOST_BYTES)
    throw new FivecropError(
      `${dataset.name}: the features of ${dataset.length} images in ${views} views take ${bytes(size)}: expected at most ${bytes(MOST_BYTES)}. ` +
        "To fix: ask for fewer --views, or train a whole network (--model).",
    );
  const folder = join(cache, await keyOf(source, backbone));
  await makeDirectoryFor(folder, "features", "free some space, or make the folder above it one that can be written");
  const features = new Float32Array(total * width);
  const chunks = chunksOf(dataset.length, views);
  const missing: Chunk[] = [];
  for (const chunk of chunks)
    if (!(await readChunk(join(folder, chunk.file), features.subarray(chunk.from * width, (chunk.from + chunk.length) * width))))
      missing.push(chunk);
  if (missing.length === 0) return features;
  const found = total - missing.reduce((sum, { length }) => sum + length, 0);
  const counters = createCounters();
  const lanes = await openLanes(source, { backbone, width, counters, plan: source.plan }, threads);
  const started = performance.now();
  const work = async (lane: Lane): Promise<void> => {
    for (let chunk = missing.shift(); chunk; chunk = missing.shift()) {
      const computed = await lane.compute({ view: chunk.view, first: chunk.image, length: chunk.length });
      if (!computed) return;
      features.set(computed, chunk.from * width);
      await writeWhole(join(folder, chunk.file), bytesOf(computed));
    }
  };
  const stop = (): void => void Atomics.store(counters, COUNTERS.stop, 1);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  const all = Promise.all(lanes.map(work));
  try {
    yield* watch(all, (): FeatureProgress => {
      const computed = Atomics.load(counters, COUNTERS.computed);
      const imagesPerSecond = computed / Math.max(1e-3, (performance.now() - started) / 1e3);
      return { kind: "features", split, done: found + computed, total, imagesPerSecond };
    });
  } finally {
    stop();
    signal?.removeEventListener("abort", stop);
    await Promise.all(lanes.map((lane) => lane.dispose()));
  }
  return signal?.aborted ? undefined : features;
}

/** Lanes at most: each takes the backbone's weights' and a batch's memory. */
const MOST_LANES = 4;

/**
 * A lane for each core, each with a thread of its own, that waits for no other: a session on all cores would wait for its slowest thread, and for who
 * prepares its images. Images without a description are computed in this thread.
 */
async function openLanes(
  { dataset }: FeatureSource,
  options: Omit<LaneOptions, "threads">,
  threads = availableParallelism(),
): Promise<readonly Lane[]> {
  const { description } = dataset;
  if (!description) return [await openLane(dataset, { ...options, threads })];
  const lanes = Math.min(MOST_LANES, threads);
  const data: FeatureThreadData = { ...options, description, threads: Math.floor(threads / lanes) };
  return Array.from({ length: lanes }, () => {
    const calls = createCalls<ViewRange, Float32Array<ArrayBuffer> | undefined, FeatureThreadData>(
      "training/features/compute.thread.node",
      data,
      "a thread that computes features",
    );
    return { compute: (range) => calls.ask(range), dispose: () => calls.dispose() };
  });
}

/** Some images in one view, and the file of their features. */
interface Chunk {
  readonly file: string;
  readonly view: number;
  /** Its first image, and its first row among all features. */
  readonly image: number;
  readonly from: number;
  readonly length: number;
}

const chunksOf = (images: number, views: number): readonly Chunk[] =>
  Array.from({ length: views }, (_, view) =>
    Array.from({ length: Math.ceil(images / CHUNK) }, (_, i) => {
      const image = i * CHUNK;
      const length = Math.min(CHUNK, images - image);
      return { file: `${view}-${i}.features`, view, image, from: view * images + image, length };
    }),
  ).flat();

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/** @returns false where there is no such file, or it is not of this size. */
async function readChunk(file: string, target: Float32Array): Promise<boolean> {
  const found = await readFile(file).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw new FivecropError(`the features in ${file} cannot be read: ${fileReason(cause)}. To fix: delete its folder.`, { cause });
  });
  if (found?.length !== target.byteLength) return false;
  bytesOf(target).set(found);
  return true;
}
