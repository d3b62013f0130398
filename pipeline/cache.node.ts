import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { FivecropError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import { cacheRoot } from "./datasets/index.ts";

/** What is computed once and kept, each kind in a folder of its own, with a folder in it for each version of what it was computed from. */
export const CACHES = { decoded: "decoded pictures", features: "features of pictures" } as const;
export type CacheKind = keyof typeof CACHES;

/** Where a kind is kept. */
export const cacheFolder = (kind: CacheKind): string => join(cacheRoot(), kind);

export interface CacheEntry {
  readonly kind: CacheKind;
  readonly folder: string;
  readonly bytes: number;
  readonly files: number;
  /** When its last file was written, ISO 8601. */
  readonly written: string;
}

/** What the cache holds, the largest first; downloaded data sets are no part of it. @throws FivecropError where it cannot be read. */
export async function cacheEntries(): Promise<CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const kind of Object.keys(CACHES) as CacheKind[])
    for (const name of await foldersIn(cacheFolder(kind))) entries.push(await entryOf(kind, join(cacheFolder(kind), name)));
  return entries.sort((a, b) => b.bytes - a.bytes);
}

/** Removes an entry, for when nothing reads it: it is made anew where it is needed. @throws FivecropError where it cannot be removed. */
export async function removeEntry({ folder }: CacheEntry): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (cause) {
    throw new FivecropError(`cannot remove ${folder}: ${fileReason(cause)}. To fix: remove it by hand.`, { cause });
  }
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new FivecropError(`cannot read ${folder}: ${fileReason(cause)}. To fix: make it a folder that can be read, or remove it.`, {
      cause,
    });
  }
}

async function entryOf(kind: CacheKind, folder: string): Promise<CacheEntry> {
  let bytes = 0;
  let files = 0;
  let latest = (await stat(folder)).mtimeMs;
  for (const name of await readdir(folder)) {
    const found = await stat(join(folder, name)).catch(() => undefined); // a file under way has been given its name just now
    if (!found?.isFile()) continue;
    bytes += found.size;
    files++;
    latest = Math.max(latest, found.mtimeMs);
  }
  return { kind, folder, bytes, files, written: new Date(latest).toISOString() };
}
