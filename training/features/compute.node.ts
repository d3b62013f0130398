import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { writeWhole } from "../../core/atomic-file.node.ts";
import { FivecropError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-error.ts";
import { makeDirectoryFor } from "../../core/make-directory.node.ts";
import { createSession, RUNTIME_VERSION } from "../../core/session.node.ts";
import type { Session } from "../../core/session.ts";
import { bytes } from "../../core/text.ts";
import { createLoader } from "../../pipeline/batches.node.ts";
import type { BatchPlan } from "../../pipeline/batches.ts";
import type { Dataset } from "../../pipeline/dataset.ts";
import { cacheRoot } from "../../pipeline/datasets/index.ts";
import type { Loader } from "../../pipeline/loader.ts";
import { FEATURE_BATCH, runBackbone } from "./run-backbone.ts";

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

/** Folders of features, one for each version of their pictures, backbone and views. */
const featuresFolder = (): string => join(cacheRoot(), "features");

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
  const { backbone, width, threads, signal, cache = featuresFolder() } = options;
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
  let [done, computed] = [total - missing.reduce((sum, { length }) => sum + length, 0), 0];
  const started = performance.now();
  const session = await createSession(backbone, { name: "the backbone", threads, spin: false }); // spinning threads would starve the one that prepares images
  const loader = createLoader(dataset);
  try {
    for (const part of runsOf(missing)) {
      const target = { session, loader, source, features, width };
      for await (const { chunk, images } of computeRun(part, target)) {
        done += images;
        computed += images;
        const imagesPerSecond = computed / Math.max(1e-3, (performance.now() - started) / 1e3);
        if (chunk)
          await writeWhole(join(folder, chunk.file), bytesOf(features.subarray(chunk.from * width, (chunk.from + chunk.length) * width)));
        yield { kind: "features", split, done, total, imagesPerSecond };
        if (signal?.aborted) return undefined;
      }
    }
  } finally {
    await Promise.all([session.dispose(), loader.dispose()]);
  }
  return features;
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

/** Chunks that follow each other in one view, together. */
function runsOf(chunks: readonly Chunk[]): readonly (readonly Chunk[])[] {
  const runs: Chunk[][] = [];
  for (const chunk of chunks) {
    const before = runs.at(-1)?.at(-1);
    if (before && before.view === chunk.view && before.image + before.length === chunk.image) runs.at(-1)!.push(chunk);
    else runs.push([chunk]);
  }
  return runs;
}

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

interface Target {
  readonly session: Session;
  readonly loader: Loader;
  readonly source: FeatureSource;
  readonly features: Float32Array;
  readonly width: number;
}

/** Computes consecutive chunks. @returns with each batch the chunk that it ends. */
async function* computeRun(
  chunks: readonly Chunk[],
  { session, loader, source: { plan }, features, width }: Target,
): AsyncGenerator<{ readonly images: number; readonly chunk?: Chunk }, void, undefined> {
  const [{ view, image: first, from }] = chunks;
  const end = from + chunks.reduce((sum, { length }) => sum + length, 0);
  const target = features.subarray(from * width, end * width);
  let [row, next] = [from, 0];
  for await (const images of runBackbone({ session, loader, plan, view, first, target, width })) {
    row += images;
    const isEnd = row === chunks[next].from + chunks[next].length;
    yield { images, ...(isEnd && { chunk: chunks[next++] }) };
  }
}
