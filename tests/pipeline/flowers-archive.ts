import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { create } from "tar";
import { classes, under, writeTree } from "./make-pictures.ts";
import { zipOf } from "./make-zip.ts";

/** The files of a small 102 flowers. */
export const FLOWERS = {
  ...under("train", classes(["1", "2"], 2)),
  ...under("valid", classes(["1", "2"], 1)),
  ...under("test", classes(["2"], 1)),
};
export const NAMES = '{ "1": "pink primrose", "2": "orchid" }';
/** How many images it has. */
export const IMAGES = { train: 4, validation: 2, test: 1 };

/** An archive of them in `root`, of the kind that its name says, where they lie in the folder `top`. @returns its path */
export async function flowersArchive(root: string, name: string, top: string, names = true): Promise<string> {
  const folder = join(root, "make");
  await writeTree(folder, under(top, FLOWERS));
  if (names) await writeFile(join(folder, "cat_to_name.json"), NAMES);
  const file = join(root, name);
  const entries = await readdir(folder);
  if (name.endsWith(".zip")) await writeFile(file, await zipOf(folder));
  else await create({ gzip: name.endsWith("gz"), file, cwd: folder }, entries);
  await rm(folder, { recursive: true });
  return file;
}
