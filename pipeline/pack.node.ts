import { createHash } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { writeWhole } from "../core/atomic-file.node.ts";
import { type Calls, createCalls } from "../core/calls.node.ts";
import { FivecropError } from "../core/errors.ts";
import { makeDirectoryFor } from "../core/make-directory.node.ts";
import { watch } from "../core/watch.ts";
import type { Dataset } from "./dataset.ts";
import { COUNTERS, type PackData, type PackedChunk, type PackQuestion } from "./pack.ts";
import { CHUNK, chunkCount, chunkFile, indexFile, openPacked, type PackedIndex, readIndex, type UnreadablePicture } from "./packed.node.ts";
import type { ResizeSpec } from "./preprocess.ts";

export interface PackOptions {
  /** The folder that folders of decoded pictures are in. */
  readonly cache: string;
  readonly signal?: AbortSignal;
  /** Threads that decode: one for each core of the processor, at most 8, where it is left out. */
  readonly workers?: number;
}

/** How far the decoding is. */
export interface PackProgress {
  readonly kind: "decoding";
  readonly done: number;
  readonly total: number;
  /** Of those that are decoded now, not found decoded. */
  readonly imagesPerSecond: number;
}

export interface Packed {
  readonly dataset: Dataset;
  /** The file of each of its images. */
  readonly files: readonly string[];
  readonly unreadable: readonly UnreadablePicture[];
}

/** Raised where what is written, or how it is made, changes. */
const FORMAT = 1;
const STATS_AT_ONCE = 64;
/** Files that a thread is at: while the disk takes one, another's pictures are decoded. */
const PER_THREAD = 2;
/** What a process that was killed left unfinished is taken away after an hour. */
const ABANDONED = 3_600_000;

/** Everything that the pixels depend on: the files by path, size and times, the resize, the decoders. */
async function keyOf({ labels, classNames }: Dataset, files: readonly string[], spec: ResizeSpec): Promise<string> {
  const hash = createHash("sha256");
  const { resize, filter, channels } = spec;
  hash.update(JSON.stringify([FORMAT, CHUNK, sharp.versions, resize, filter, channels, classNames]));
  for (let from = 0; from < files.length; from += STATS_AT_ONCE) {
    const part = files.slice(from, from + STATS_AT_ONCE);
    const stats = await Promise.all(part.map((file) => stat(file).catch(() => undefined)));
    stats.forEach((found, i) => {
      hash.update(JSON.stringify([part[i], labels[from + i], found?.size, found?.mtimeMs, found?.ctimeMs]));
    });
  }
  return hash.digest("hex").slice(0, 32);
}

/**
 * Decodes a data set's pictures once, resized as the preprocessing does it first, into a folder of the cache, from which they are read from then on.
 * Preprocessing what is read there gives the same numbers as preprocessing the files. Pictures that were decoded before are not decoded again:
 * an unfinished folder is gone on with, also by several processes at once.
 * @returns the data set of the pictures that can be read; undefined where `signal` stopped it.
 * @throws FivecropError where a class has no readable picture, or the cache cannot be written.
 */
export async function* packPictures(
  dataset: Dataset & { readonly file: (index: number) => string },
  spec: ResizeSpec,
  options: PackOptions,
): AsyncGenerator<PackProgress, Packed | undefined, undefined> {
  const { name, description, length } = dataset;
  const files = Array.from({ length }, (_, i) => dataset.file(i));
  const folder = join(options.cache, await keyOf(dataset, files, spec));
  let index = await readIndex(folder);
  if (!index) {
    await makeDirectoryFor(folder, "decoded pictures", "free some space, or make the folder above it one that can be written");
    const chunks = yield* decode(folder, files, spec, options);
    if (!chunks) return undefined;
    index = indexOf(dataset, files, spec, chunks);
    await writeWhole(indexFile(folder), JSON.stringify(index));
    await removeAbandoned(folder);
  }
  checkClasses(name, index);
  const { root = "", split = "" } = description ?? {};
  const packed = await openPacked({ name, root, split, packed: folder });
  const { sizes, unreadable } = index;
  return {
    dataset: { ...packed, ...(dataset.notes && { notes: dataset.notes }) },
    files: files.filter((_, i) => sizes[2 * i] > 0),
    unreadable,
  };
}

function indexOf({ classNames, labels }: Dataset, files: readonly string[], { channels }: ResizeSpec, chunks: readonly PackedChunk[]) {
  const unreadable = chunks.flatMap(({ errors }, chunk) =>
    Object.entries(errors).map(([place, message]) => ({ file: files[chunk * CHUNK + Number(place)], message })),
  );
  return { classNames, channels, labels: [...labels], sizes: chunks.flatMap(({ sizes }) => sizes), unreadable } satisfies PackedIndex;
}

/** @throws FivecropError where a class had pictures, and none of them can be read. */
function checkClasses(name: string, { classNames, labels, sizes, unreadable }: PackedIndex): void {
  if (unreadable.length === 0) return;
  const left = new Set(labels.filter((_, i) => sizes[2 * i] > 0));
  const lost = labels.find((label) => !left.has(label));
  if (lost !== undefined)
    throw new FivecropError(
      `${name}: none of the ${labels.filter((label) => label === lost).length} pictures of class '${classNames[lost]}' can be read. The first that cannot: ${unreadable[0].message}`,
    );
}

async function* decode(
  folder: string,
  files: readonly string[],
  spec: ResizeSpec,
  { signal, workers = Math.min(8, availableParallelism()) }: PackOptions,
): AsyncGenerator<PackProgress, readonly PackedChunk[] | undefined, undefined> {
  const counters = new Int32Array(new SharedArrayBuffer(4 * Object.keys(COUNTERS).length));
  const count = chunkCount(files.length);
  const chunks = Array<PackedChunk | undefined>(count).fill(undefined); // every() passes over holes
  const threads = Array.from({ length: Math.min(workers, count) }, () =>
    createCalls<PackQuestion, PackedChunk | undefined, PackData>(
      "pipeline/pack.thread.node",
      { spec: { resize: spec.resize, filter: spec.filter, channels: spec.channels }, counters: counters.buffer as SharedArrayBuffer },
      "a thread that decodes pictures",
    ),
  );
  let taken = 0;
  const first = process.pid % count; // two processes that begin together do not decode the same pictures
  const work = async (thread: Calls<PackQuestion, PackedChunk | undefined>): Promise<void> => {
    while (taken < count && !signal?.aborted) {
      const chunk = (first + taken++) % count;
      const part = files.slice(chunk * CHUNK, chunk * CHUNK + CHUNK);
      chunks[chunk] = await thread.ask({ files: part, target: chunkFile(folder, chunk) });
    }
  };
  const started = performance.now();
  const progress = (): PackProgress => ({
    kind: "decoding",
    done: Atomics.load(counters, COUNTERS.done),
    total: files.length,
    imagesPerSecond: Atomics.load(counters, COUNTERS.decoded) / Math.max(1e-3, (performance.now() - started) / 1e3),
  });
  const stop = (): void => void Atomics.store(counters, COUNTERS.stop, 1);
  signal?.addEventListener("abort", stop);
  const all = Promise.all(threads.flatMap((thread) => Array.from({ length: PER_THREAD }, () => work(thread))));
  try {
    yield* watch(all, progress);
  } finally {
    stop();
    signal?.removeEventListener("abort", stop);
    await Promise.all(threads.map((thread) => thread.dispose()));
  }
  return chunks.every((chunk) => chunk !== undefined) ? (chunks as readonly PackedChunk[]) : undefined;
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter((file) => file.endsWith(".tmp"))) {
    const file = join(folder, name);
    const found = await stat(file).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > ABANDONED) await rm(file, { force: true });
  }
}
