// A thread that decodes pictures, resizes them, and writes files of their pixels.
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { threadId, workerData } from "node:worker_threads";
import { answerCalls } from "../core/answers.node.ts";
import type { ThreadData } from "../core/calls.node.ts";
import { FivecropError, PictureError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import { threadState } from "../core/thread-state.node.ts";
import { readImage } from "./decode.node.ts";
import { MAX_PIXELS } from "./decode.ts";
import { resizedSize } from "./geometry.ts";
import type { Image } from "./image.ts";
import { COUNTERS, type PackData, type PackedChunk, type PackQuestion } from "./pack.ts";
import { resizeImage } from "./preprocess.ts";

const {
  data: { spec, counters: shared },
  state,
} = workerData as ThreadData<PackData>;
const counters = new Int32Array(shared);
const MARK = "FCPX0001";

const pixelBytes = (sizes: readonly number[]): number => {
  let sum = 0;
  for (let i = 0; i < sizes.length; i += 2) sum += sizes[i] * sizes[i + 1] * spec.channels;
  return sum;
};

/** What a finished file of an earlier run says; undefined where there is none, or it is not whole. Its end: JSON, the length of that, a mark. */
async function readChunk(target: string, pictures: number): Promise<PackedChunk | undefined> {
  const file = await open(target, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const end = Buffer.alloc(4 + MARK.length);
    if (size < end.length) return undefined;
    await file.read(end, 0, end.length, size - end.length);
    const length = end.readUInt32LE(0);
    if (end.toString("latin1", 4) !== MARK || length > size - end.length) return undefined;
    const text = Buffer.alloc(length);
    await file.read(text, 0, length, size - end.length - length);
    const chunk: PackedChunk = JSON.parse(text.toString("utf8"));
    const whole = chunk.sizes.length === 2 * pictures && pixelBytes(chunk.sizes) + length + end.length === size;
    return whole ? chunk : undefined;
  } finally {
    await file.close();
  }
}

/** What a file system says of a file that itself is the matter; anything else may pass, and is thrown. */
const OF_THE_FILE = ["ENOENT", "EACCES", "EPERM", "EISDIR", "ELOOP"];

/** The resized picture, or why it cannot be read. */
async function prepare(file: string): Promise<Image | string> {
  try {
    const image = await readImage(file);
    const { width, height } = resizedSize(image, spec.resize);
    if (width * height > MAX_PIXELS)
      throw new PictureError(`${file}: too long and thin: ${image.width}×${image.height} pixels would be resized to ${width}×${height}`);
    return resizeImage(image, spec);
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (error instanceof PictureError && (code === undefined || OF_THE_FILE.includes(code))) return error.message;
    throw error;
  }
}

const writeAll = (file: FileHandle, parts: readonly Uint8Array[]): Promise<void> => file.writeFile(Buffer.concat(parts));

/** Bytes that are gathered before they are written: a write costs as much as decoding a tenth of a small picture. */
const GATHERED = 2 ** 22;

/** Writes the pictures' pixels in order, decoding one ahead. @returns undefined where it was told to stop. */
async function fill(file: FileHandle, files: readonly string[]): Promise<PackedChunk | undefined> {
  const sizes: number[] = [];
  const errors: Record<number, string> = {};
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  let next = prepare(files[0]);
  for (let i = 0; i < files.length; i++) {
    const found = await next;
    if (Atomics.load(counters, COUNTERS.stop)) return undefined;
    if (i + 1 < files.length) {
      next = prepare(files[i + 1]);
      next.catch(() => undefined); // thrown when its turn comes
    }
    if (typeof found === "string") {
      errors[i] = found;
      sizes.push(0, 0);
    } else {
      sizes.push(found.width, found.height);
      gathered.push(found.data);
      bytes += found.data.length;
    }
    if (bytes >= GATHERED) {
      await writeAll(file, gathered);
      [gathered, bytes] = [[], 0];
    }
    Atomics.add(counters, COUNTERS.done, 1);
    Atomics.add(counters, COUNTERS.decoded, 1);
  }
  const chunk = { sizes, errors };
  const text = Buffer.from(JSON.stringify(chunk));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  await writeAll(file, [...gathered, text, length, Buffer.from(MARK, "latin1")]);
  await file.sync();
  return chunk;
}

/** A file of pixels, whole or not at all: another process may be writing the same one, and its bytes are then the same. */
async function writeChunk({ files, target }: PackQuestion): Promise<PackedChunk | undefined> {
  const beside = `${target}.${process.pid}-${threadId}.tmp`;
  try {
    const file = await open(beside, "w");
    let chunk: PackedChunk | undefined;
    try {
      chunk = await fill(file, files);
    } finally {
      await file.close();
    }
    const another = chunk && (await readChunk(target, files.length)); // another process was first: an index may rest on its file already
    if (chunk && !another) await rename(beside, target);
    else await rm(beside, { force: true });
    return another ?? chunk;
  } catch (cause) {
    await rm(beside, { force: true }).catch(() => undefined);
    if (cause instanceof FivecropError || (cause as NodeJS.ErrnoException).code === undefined) throw cause;
    throw new FivecropError(
      `cannot write decoded pictures to ${target}: ${fileReason(cause)}. To fix: free some space, or make the folder one that can be written.`,
      { cause },
    );
  }
}

answerCalls<PackQuestion, PackedChunk | undefined>(threadState(state), {
  async answer(question) {
    const { files, target } = question;
    if (Atomics.load(counters, COUNTERS.stop)) return [undefined, []];
    const found = await readChunk(target, files.length);
    if (found) Atomics.add(counters, COUNTERS.done, files.length);
    return [found ?? (await writeChunk(question)), []];
  },
});
