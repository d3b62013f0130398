import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { FivecropError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";

/** The endings of names that count as pictures in a folder. A file that is named is read whatever it is called. */
const PICTURE = /\.(jpe?g|png|webp|avif|gif|tiff?)$/i;

/**
 * The files themselves, and in place of a folder the pictures in it and in its folders, by name. Folders are read one at a time.
 * @throws FivecropError where a folder cannot be read, or has no picture in it.
 */
export async function* pictureFiles(paths: Iterable<string>): AsyncGenerator<string, void, undefined> {
  for (const path of paths) {
    if (!(await isFolder(path))) {
      yield path;
      continue;
    }
    let found = 0;
    for await (const file of picturesIn(path)) {
      found++;
      yield file;
    }
    if (!found) throw new FivecropError(`${path}: expected a folder of JPEG, PNG, WebP, AVIF, GIF or TIFF files, found none in it`);
  }
}

/** Whether it is a folder; what is not there is left to whoever reads it. */
export const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
};

async function* picturesIn(folder: string): AsyncGenerator<string, void, undefined> {
  let entries: Awaited<ReturnType<typeof entriesOf>>;
  try {
    entries = await entriesOf(folder);
  } catch (cause) {
    throw new FivecropError(
      `${folder}: the folder cannot be read: ${fileReason(cause)}. To fix: name a folder, or files in it, that can be read.`,
      { cause },
    );
  }
  for (const { name, kind } of entries) {
    if (kind === "folder") yield* picturesIn(join(folder, name));
    else if (PICTURE.test(name)) yield join(folder, name);
  }
}

/** By name; links to folders are not followed, so that there is an end. */
const entriesOf = async (folder: string) =>
  (await readdir(folder, { withFileTypes: true }))
    .map((entry) => ({ name: entry.name, kind: entry.isDirectory() ? "folder" : "file" }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
