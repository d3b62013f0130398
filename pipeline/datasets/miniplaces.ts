import { join } from "node:path";
import type { Dataset } from "../dataset.ts";
import type { PreprocessSpec } from "../preprocess.ts";
import { PRESETS } from "../presets.ts";
import { folderOrder } from "./class-names.ts";
import { openSplit, type SplitName } from "./split-folders.ts";

/** Whole pictures as 64×64. */
export const MINIPLACES_PREPROCESS: PreprocessSpec = { ...PRESETS.imagenet, resize: 64, crop: [64, 64] };

const NAMES = "category_names.json";

/**
 * MiniPlaces from ROOT/miniplaces/{train,val,test}/SCENE/*.jpg: 128×128 pictures of 100 scenes, in the order of category_names.json.
 * @see https://github.com/CSAILVision/miniplaces
 */
export function openMiniPlaces(root: string, split: SplitName): Promise<Dataset> {
  const path = join(root, "miniplaces");
  const howToGet =
    "To fix: fivecrop datasets info miniplaces says where it comes from, and --data-dir DIR or FIVECROP_DATA=DIR where DIR/miniplaces is";
  const classes = async (found: readonly string[]) => ({ folders: await folderOrder(join(path, NAMES), found, `${howToGet}.`) });
  return openSplit({ name: "miniplaces", root, path, howToGet: `. ${howToGet}`, classes }, split);
}
