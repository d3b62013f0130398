import { cp, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { checkFile, type DownloadOptions, downloadInto, isAddress, lastName, type SourceFile } from "../../core/download.node.ts";
import { FivecropError, messageOf, UsageError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-error.ts";
import { withLock } from "../../core/lock.node.ts";
import { makeDirectory, makeDirectoryFor } from "../../core/make-directory.node.ts";
import { plural } from "../../core/text.ts";
import { type DatasetEntry, datasetEntry } from "./index.ts";
import type { DatasetSource } from "./source.ts";
import { archiveKind, isCalled, unpack } from "./unpack.ts";

export interface FetchOptions {
  /** The folder of all data sets. */
  readonly root: string;
  /** An archive, a directory, or an address, in place of the official one. */
  readonly from?: string;
  readonly onProgress?: (what: string, done: number, total: number | undefined) => void;
  readonly connection?: Pick<DownloadOptions, "tries" | "pause" | "patience">;
  /** In place of the data set's own. */
  readonly source?: DatasetSource;
}

export interface Fetched {
  readonly folder: string;
  /** It was there already: nothing was done. */
  readonly alreadyThere: boolean;
  /** Images of each split. */
  readonly images: Readonly<Record<string, number>>;
}

/** Images of each split of a data set in this root. @throws FivecropError where it is not whole */
async function countImages({ splits }: DatasetEntry, root: string): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const [split, open] of Object.entries(splits)) counts[split] = (await open(root)).length;
  return counts;
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Brings a data set to ROOT/NAME, whole or not at all: from its official place, or from a file, a directory or an address. What is there already stays.
 * @throws UsageError where there is nothing to fetch it from. FivecropError where that fails, or what comes is not the data set.
 */
export async function fetchDataset(name: string, options: FetchOptions): Promise<Fetched> {
  const { root, from } = options;
  const entry = await datasetEntry(name);
  const source = options.source ?? entry.source;
  if (!source)
    throw new UsageError(`${name}: there is nothing to fetch: it is ${name.startsWith("folder:") ? "a folder" : "part of the package"}.`);
  const folder = join(root, name);
  const found = await findThere(folder, entry, root);
  if (found) return found;
  if (from === undefined && source.files.length === 0)
    throw new UsageError(`${name}: there is no official place to fetch it from. ${source.note ?? ""}`.trim());
  await makeDirectoryFor(root, "--data-dir");
  return withLock(
    join(root, `.${name}.lock`),
    `the data set in ${folder}`,
    async () => (await findThere(folder, entry, root)) ?? fetchInto(folder, name, { entry, source }, options), // another process may have brought it
  );
}

/** What is there already; undefined where nothing is. @throws FivecropError where it is not whole */
async function findThere(folder: string, entry: DatasetEntry, root: string): Promise<Fetched | undefined> {
  if (!(await isThere(folder))) return undefined;
  try {
    return { folder, alreadyThere: true, images: await countImages(entry, root) };
  } catch (cause) {
    throw new FivecropError(`${folder} is there, but not whole: ${messageOf(cause)} To fix: take ${folder} away, and fetch again.`, {
      cause,
    });
  }
}

async function fetchInto(
  folder: string,
  name: string,
  { entry, source }: { readonly entry: DatasetEntry; readonly source: DatasetSource },
  options: FetchOptions,
): Promise<Fetched> {
  const { root, from } = options;
  const downloads = join(root, `.${name}.download`);
  const stage = join(root, `.${name}.stage`);
  const raw = join(stage, "raw");
  await rm(stage, { recursive: true, force: true });
  try {
    await makeDirectory(raw);
    await bring(source, raw, downloads, options);
    await arrange(source, raw, join(stage, name), from ?? name);
    let images: Fetched["images"];
    try {
      images = await countImages(entry, stage);
    } catch (cause) {
      throw new FivecropError(`${from ?? name}: what came is not ${name}: ${messageOf(cause).replaceAll(stage, root)}`, { cause });
    }
    await rename(join(stage, name), folder);
    await rm(downloads, { recursive: true, force: true });
    return { folder, alreadyThere: false, images };
  } catch (cause) {
    const { syscall, path = folder } = cause as NodeJS.ErrnoException;
    if (cause instanceof FivecropError || syscall === undefined) throw cause;
    throw new FivecropError(
      `${path}: ${fileReason(cause)}. To fix: make it readable, free some space, or choose another --data-dir or --from.`,
      { cause },
    );
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** Everything that the source consists of, unpacked, in `raw`. */
async function bring(source: DatasetSource, raw: string, downloads: string, { from, ...options }: FetchOptions): Promise<void> {
  const { onProgress, connection } = options;
  const publishedAs = (path: string): SourceFile | undefined => source.files.find(({ url }) => lastName(url) === basename(path));
  const take = async (file: string): Promise<void> => {
    const isArchive = !(source.plain && publishedAs(file)) && (await archiveKind(file)) !== undefined;
    if (isArchive) await unpack(file, raw, { onProgress: (done, total) => onProgress?.(`unpacking ${basename(file)}`, done, total) });
    else await cp(file, join(raw, basename(file)));
  };
  if (from !== undefined && !isAddress(from)) {
    const path = resolve(from);
    if (!(await isThere(path)))
      throw new UsageError(`--from: there is no file or directory ${from}. Expected one, or an address http(s)://….`);
    if ((await stat(path)).isDirectory()) return copyFound(source, path, raw);
    const published = publishedAs(path);
    if (published) await checkFile(path, published);
    return take(path);
  }
  const files: readonly SourceFile[] = from === undefined ? source.files : [{ ...publishedAs(lastName(from)), url: from }];
  const targets: string[] = [];
  for (const file of files) {
    const onBytes = (done: number, total: number | undefined) => onProgress?.(lastName(file.url), done, total);
    targets.push(await downloadInto(downloads, file, { ...connection, onProgress: onBytes }));
  }
  for (const target of targets) await take(target);
}

/** How deep in an archive or a directory the data set may lie. */
const DEPTH = 3;

/** The folder that holds a file or folder of this name, or that with .gz behind it, the least deep first; undefined where there is none. */
export async function findMarked(folder: string, marker: string, depth = DEPTH): Promise<string | undefined> {
  const entries = await readdir(folder, { withFileTypes: true });
  if (entries.some((entry) => isCalled(entry.name, marker))) return folder;
  if (depth === 0) return undefined;
  for (const entry of entries)
    if (entry.isDirectory()) {
      const found = await findMarked(join(folder, entry.name), marker, depth - 1);
      if (found) return found;
    }
  return undefined;
}

/** What of a folder belongs to the data set. */
const partsIn = async (folder: string, { parts }: DatasetSource): Promise<string[]> =>
  (await readdir(folder)).filter((name) => parts.some((part) => isCalled(name, part)));

/** The companion of what was found: in it, or in a folder above it up to `top`. */
async function findCompanion(companion: string | undefined, found: string, top: string): Promise<string | undefined> {
  for (let folder = found; companion; folder = dirname(folder)) {
    if (await isThere(join(folder, companion))) return join(folder, companion);
    if (folder === top || folder === dirname(folder)) break;
  }
  return undefined;
}

const notFound = (where: string, { marker }: DatasetSource): FivecropError =>
  new FivecropError(
    `${where}: expected '${marker}' in it, at most ${plural(DEPTH, "folder")} deep, found none: it is another data set, or laid out otherwise.`,
  );

async function copyFound(source: DatasetSource, from: string, raw: string): Promise<void> {
  const found = await findMarked(from, source.marker);
  if (!found) throw notFound(from, source);
  for (const name of await partsIn(found, source)) await cp(join(found, name), join(raw, name), { recursive: true, dereference: true });
  const companion = await findCompanion(source.companion, found, from);
  if (companion) await cp(companion, join(raw, basename(companion)));
}

/** Moves what was brought to where the loader looks for it. */
async function arrange(source: DatasetSource, raw: string, target: string, from: string): Promise<void> {
  const found = await findMarked(raw, source.marker);
  if (!found) throw notFound(from, source);
  const companion = await findCompanion(source.companion, found, raw);
  if (companion && dirname(companion) !== found) await rename(companion, join(found, basename(companion)));
  const place = join(target, source.into ?? "");
  await makeDirectory(place);
  for (const name of await partsIn(found, source)) await rename(join(found, name), join(place, name));
}
