import { join } from "node:path";
import type { Dataset } from "../dataset.ts";
import { namesByFolder } from "./class-names.ts";
import { openSplit, type SplitName } from "./split-folders.ts";

const NAMES = "cat_to_name.json";

/**
 * Oxford 102 Flowers from ROOT/flowers-102/{train,valid,test}/1 … 102/*.jpg, each class named by cat_to_name.json. Classes are in the order of their
 * folders' names as text (1, 10, 100, …), as torchvision's ImageFolder has them.
 * @see https://www.robots.ox.ac.uk/~vgg/data/flowers/102/
 */
export function openFlowers102(root: string, split: SplitName): Promise<Dataset> {
  const path = join(root, "flowers-102");
  const howToGet = "To fix: fivecrop datasets fetch flowers-102, or say with --data-dir DIR or FIVECROP_DATA=DIR where DIR/flowers-102 is";
  const classes = async (folders: readonly string[]) => ({
    folders,
    classNames: await namesByFolder(join(path, NAMES), folders, `${howToGet}.`),
  });
  return openSplit({ name: "flowers-102", root, path, howToGet: `. ${howToGet}`, classes }, split);
}
