import { basename, resolve } from "node:path";
import { UsageError } from "../../core/errors.ts";
import { PRESETS } from "../presets.ts";
import type { DatasetEntry } from "./index.ts";
import { openSplit, splitFolders } from "./split-folders.ts";

/** Begins the name of a data set that is a folder of pictures: `folder:PATH`. */
const PREFIX = "folder:";

/** Whether a data set's name is that of a folder of pictures. */
export const isFolderName = (name: string): boolean => name.startsWith(PREFIX);

/**
 * A data set's name as it means the same from any directory: the path of a `folder:` is made absolute.
 * @throws UsageError where no path follows.
 */
export function resolveName(name: string): string {
  if (!isFolderName(name)) return name;
  const path = name.slice(PREFIX.length);
  if (path === "") throw new UsageError("folder: expected the path of a folder of pictures behind it, folder:PATH, received none.");
  return PREFIX + resolve(path);
}

/** A data set's name as others may read it: of a folder, its own name without the path. */
export const publicName = (name: string): string => (isFolderName(name) ? PREFIX + basename(resolveName(name)) : name);

/** A data set's name as a part of a file name. */
export const fileName = (name: string): string => (isFolderName(name) ? basename(resolveName(name)) || "pictures" : name);

/** The entry of a folder of pictures; undefined where the name is none. Its splits are those found on the disk. @throws FivecropError, UsageError */
export async function folderEntry(given: string): Promise<DatasetEntry | undefined> {
  if (!isFolderName(given)) return undefined;
  const name = resolveName(given);
  const path = name.slice(PREFIX.length);
  const splits = Object.keys(await splitFolders(path));
  return {
    summary: `the pictures in ${path}`,
    defaultPreprocess: PRESETS.imagenet,
    splits: Object.fromEntries(splits.map((split) => [split, (root: string) => openSplit({ name, root, path }, split)])),
  };
}
