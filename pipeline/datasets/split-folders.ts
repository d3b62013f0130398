import { join } from "node:path";
import { FivecropError } from "../../core/errors.ts";
import { lookUp } from "../../core/nearest.ts";
import type { Dataset } from "../dataset.ts";
import { classFolders, type ImageFolderOptions, listFolder, openImageFolder } from "./image-folder.ts";

/** The names that a split's folder may have. */
export const SPLIT_FOLDERS = { train: ["train"], validation: ["validation", "valid", "val"], test: ["test"] } as const;
export type SplitName = keyof typeof SPLIT_FOLDERS;

/** The folder of each split that there is: `train`, `validation`, `test`; or `all`, the folder itself, where class folders lie directly in it. */
export type SplitFolders = Readonly<Partial<Record<SplitName | "all", string>>>;

/**
 * How a folder of pictures is laid out.
 * @throws FivecropError where it cannot be read, or a split has two folders.
 */
export async function splitFolders(path: string, howToGet = ""): Promise<SplitFolders> {
  const { folders } = await listFolder(path, `PATH/CLASS/PICTURE or PATH/train/CLASS/PICTURE in it${howToGet}`);
  const names = Object.values(SPLIT_FOLDERS).flat() as readonly string[];
  const isSplit = folders.includes("train") || (folders.length > 0 && folders.every((name) => names.includes(name)));
  if (!isSplit) return { all: path };
  const found: Partial<Record<SplitName, string>> = {};
  for (const [split, spellings] of Object.entries(SPLIT_FOLDERS)) {
    const there = spellings.filter((name) => folders.includes(name));
    if (there.length > 1)
      throw new FivecropError(`${path}: expected one folder of ${split} pictures, found ${there.join(" and ")}. To fix: take one away.`);
    if (there.length === 1) found[split as SplitName] = join(path, there[0]);
  }
  return found;
}

export interface SplitOptions {
  /** The data set, as it is opened again. */
  readonly name: string;
  readonly root: string;
  /** Holds the split folders, or the class folders themselves. */
  readonly path: string;
  /** Said where that is missing. */
  readonly howToGet?: string;
  /** The order of the class folders, and what the classes are called; by name and like their folders where it is left out. */
  readonly classes?: (folders: readonly string[]) => Promise<Pick<ImageFolderOptions, "folders" | "classNames">>;
}

/** One split. Its classes are those of the training pictures, where there are some: a label means the same in every split. @throws FivecropError, UsageError */
export async function openSplit({ name, root, path, howToGet, classes }: SplitOptions, split: string): Promise<Dataset> {
  const there = await splitFolders(path, howToGet);
  const folder = lookUp(`split of ${name}`, there as Readonly<Record<string, string>>, split);
  const learned = there.train ?? folder;
  const found = await classFolders(learned);
  return openImageFolder({
    description: { name, root, split },
    folder,
    ...((await classes?.(found)) ?? { folders: found }),
    mayBeEmpty: folder !== learned,
  });
}
