import { join } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import { makeDirectoryFor } from "../core/make-directory.node.ts";
import { readImage } from "../pipeline/decode.node.ts";
import { encodePng } from "../pipeline/encode.node.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { nameOfView, type View, viewImages } from "../pipeline/views.ts";
import { createClaims, stemOf } from "./claims.node.ts";
import { sideFor } from "./shrink-on-load.node.ts";

/** Writes what a network sees of pictures, pixel by pixel before normalization, as FOLDER/PICTURE.VIEW.png: `boot.upper-left.png`. */
export interface ViewSaver {
  /** @throws UsageError where another picture's views have the same names. */
  claim(file: string): void;
  /**
   * Reads the picture and writes its views.
   * @returns the files, in the order of the views.
   * @throws UsageError as claim does; FivecropError where the picture cannot be read, or a file cannot be written.
   */
  save(file: string, views: readonly View[], spec: PreprocessSpec): Promise<readonly string[]>;
}

/** Saves views in a folder, which is made where it is missing. @param shrinkOnLoad as the classifier reads the pictures */
export function createViewSaver(folder: string, shrinkOnLoad = false): ViewSaver {
  const claim = createClaims(
    (owner, file) =>
      `--save-views: the views of ${owner} and ${file} would be written to the same files, ${stemOf(file)}.VIEW.png. To fix: give these pictures in two calls, with two folders.`,
  );

  async function save(file: string, views: readonly View[], spec: PreprocessSpec): Promise<readonly string[]> {
    claim(file);
    const images = viewImages(await readImage(file, { shrinkOnLoad: shrinkOnLoad ? sideFor(views, spec) : undefined }), views, spec);
    await makeDirectoryFor(folder, "--save-views");
    return Promise.all(
      views.map(async (view, i) => {
        const path = join(folder, `${stemOf(file)}.${nameOfView(view)}.png`);
        await writeWhole(path, await encodePng(images[i]));
        return path;
      }),
    );
  }

  return { claim, save };
}
