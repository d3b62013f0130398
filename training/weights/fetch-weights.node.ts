import { cp, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { checkFile, type DownloadOptions, downloadInto, isAddress, lastName } from "../../core/download.node.ts";
import { FivecropError, messageOf, UsageError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-error.ts";
import { withLock } from "../../core/lock.node.ts";
import { makeDirectory } from "../../core/make-directory.node.ts";
import { readInput } from "../../core/read-file.node.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { findMarked } from "../../pipeline/datasets/fetch.ts";
import { fitWeights } from "./fit-weights.ts";
import type { KnownWeights } from "./known.ts";
import { readWeights, weightsFolder, weightsPath } from "./read-weights.node.ts";

export interface FetchWeightsOptions {
  /** The folder of all data sets. */
  readonly root: string;
  /** The file, a directory that has it, or an address, in place of the official one. */
  readonly from?: string;
  readonly onProgress?: (what: string, done: number, total: number | undefined) => void;
  readonly connection?: Pick<DownloadOptions, "tries" | "pause" | "patience">;
}

export interface FetchedWeights {
  readonly file: string;
  /** It was there already: nothing was done. */
  readonly alreadyThere: boolean;
  readonly bytes: number;
}

/**
 * Brings published weights to ROOT/models, whole or not at all, with their hash checked: from their official place, or from a file, a directory or an
 * address. What is there already stays.
 * @throws UsageError where there is nothing at `from`. FivecropError where fetching fails, or what comes is another file.
 */
export async function fetchWeights(name: string, known: KnownWeights, options: FetchWeightsOptions): Promise<FetchedWeights> {
  const folder = weightsFolder(options.root);
  const file = weightsPath(known, options.root);
  const there = await stat(file).catch(() => undefined);
  if (there) {
    await checkFile(file, known.file).catch((cause) => {
      throw new FivecropError(`${file} is there, but damaged: ${messageOf(cause)} To fix: take ${file} away, and fetch again.`, { cause });
    });
    return { file, alreadyThere: true, bytes: there.size };
  }
  try {
    await makeDirectory(folder);
    return await withLock(join(folder, `.${name}.lock`), `the file ${file}`, () => bringTo(file, name, known, options));
  } catch (cause) {
    if (cause instanceof FivecropError) throw cause;
    throw new FivecropError(`cannot write ${file}: ${fileReason(cause)}. To fix: make room, or choose another --data-dir or --from.`, {
      cause,
    });
  }
}

async function bringTo(file: string, name: string, known: KnownWeights, options: FetchWeightsOptions): Promise<FetchedWeights> {
  const { root, from, onProgress, connection } = options;
  const downloads = join(weightsFolder(root), `.${name}.download`);
  const onBytes = (done: number, total: number | undefined) => onProgress?.(lastName(known.file.url), done, total);
  const isRemote = from === undefined || isAddress(from);
  const staged = isRemote
    ? await downloadInto(downloads, { ...known.file, url: from ?? known.file.url }, { ...connection, onProgress: onBytes })
    : join(downloads, basename(file));
  try {
    if (!isRemote) await copyFrom(await findIn(from, basename(file)), staged, known);
    const bytes = await readInput(staged, `cannot read ${staged}`, "choose another --data-dir");
    fitWeights(createNetwork(known.model), await readWeights(bytes, staged));
    await rename(staged, file);
    return { file, alreadyThere: false, bytes: bytes.length };
  } finally {
    await rm(downloads, { recursive: true, force: true });
  }
}

async function copyFrom(found: string, to: string, { file }: KnownWeights): Promise<void> {
  await checkFile(found, { ...file, url: found });
  await makeDirectory(dirname(to));
  await cp(found, to);
}

/** A file as it is named, or by this name in a directory. */
async function findIn(from: string, name: string): Promise<string> {
  const path = resolve(from);
  const there = await stat(path).catch(() => undefined);
  if (!there) throw new UsageError(`--from: there is no file or directory ${from}. Expected one, or an address http(s)://….`);
  if (!there.isDirectory()) return path;
  const folder = await findMarked(path, name);
  if (folder === undefined)
    throw new UsageError(`--from: expected '${name}' in the directory ${from}, at most three folders deep, found none.`);
  return join(folder, name);
}
