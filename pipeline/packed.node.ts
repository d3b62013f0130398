import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FivecropError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import type { Dataset, DatasetDescription } from "./dataset.ts";
import { createImage, type Image } from "./image.ts";
import { readBytes } from "./read-bytes.node.ts";

// A folder of decoded pictures: `0.pixels`, `1.pixels`, …, each with the pixels of the next CHUNK pictures one after the other (and, for whoever
// goes on with an unfinished folder, what its pictures are), and at last `index.json`.

/** Pictures in a file of pixels: what is lost where the decoding is cut off, and what a thread takes up at a time. */
export const CHUNK = 64;
export const chunkCount = (pictures: number): number => Math.ceil(pictures / CHUNK);
export const chunkFile = (folder: string, chunk: number): string => join(folder, `${chunk}.pixels`);
const INDEX = "index.json";
export const indexFile = (folder: string): string => join(folder, INDEX);

/** A picture that cannot be read. */
export interface UnreadablePicture {
  readonly file: string;
  readonly message: string;
}

/** What a folder of decoded pictures holds. */
export interface PackedIndex {
  readonly classNames: readonly string[];
  readonly channels: 1 | 3;
  /** The class of each picture, those that cannot be read included. */
  readonly labels: readonly number[];
  /** Width and height of each, one after the other; 0, 0 where it cannot be read. */
  readonly sizes: readonly number[];
  readonly unreadable: readonly UnreadablePicture[];
}

/** The index of a folder; undefined where it was not finished, or parts of it are gone. @throws FivecropError where it cannot be read. */
export async function readIndex(folder: string): Promise<PackedIndex | undefined> {
  try {
    const names = new Set(await readdir(folder));
    if (!names.has(INDEX)) return undefined;
    const index: PackedIndex = JSON.parse(await readFile(indexFile(folder), "utf8"));
    const chunks = Array.from({ length: chunkCount(index.labels.length) }, (_, chunk) => `${chunk}.pixels`);
    return chunks.every((name) => names.has(name)) ? index : undefined;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FivecropError(`${folder}: the decoded pictures cannot be read: ${fileReason(cause)}. To fix: delete this folder.`, { cause });
  }
}

const FIX = "delete its folder and start again; the pictures are then decoded anew.";

/**
 * A data set whose decoded pictures are in `packed`: those that could be read. Pixels stay on the disk until an image is asked for.
 * @throws FivecropError where they are not all there.
 */
export async function openPacked(description: DatasetDescription & { readonly packed: string }): Promise<Dataset> {
  const { name, packed } = description;
  const index = await readIndex(packed);
  if (!index) throw new FivecropError(`${name}: its decoded pictures in ${packed} are gone or not complete. To fix: start again.`);
  const { classNames, channels, sizes } = index;
  const sources: number[] = [];
  const positions: number[] = [];
  let position = 0;
  for (let source = 0; source < index.labels.length; source++) {
    if (source % CHUNK === 0) position = 0;
    const bytes = sizes[2 * source] * sizes[2 * source + 1] * channels;
    if (bytes === 0) continue;
    sources.push(source);
    positions.push(position);
    position += bytes;
  }
  const image = (i: number): Image => {
    const source = sources[i];
    const result = createImage(sizes[2 * source], sizes[2 * source + 1], channels);
    readBytes(chunkFile(packed, Math.floor(source / CHUNK)), positions[i], result.data, "a decoded picture", FIX);
    return result;
  };
  return {
    name,
    classNames,
    length: sources.length,
    labels: Uint16Array.from(sources, (source) => index.labels[source]),
    image,
    description,
  };
}
