import { mkdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import { FivecropError, messageOf, UsageError } from "../core/errors.ts";
import { encodePng } from "../pipeline/encode.node.ts";
import type { Image } from "../pipeline/image.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import { nameOfView, type View, viewImages } from "../pipeline/views.ts";

const stemOf = (file: string): string => basename(file, extname(file));

/** @throws UsageError where two pictures' views would get the same names. */
export function checkStems(files: readonly string[]): void {
  const owners = new Map<string, string>();
  for (const file of files) {
    const stem = stemOf(file).toLowerCase(); // some file systems do not tell cases apart
    const other = owners.get(stem);
    if (other !== undefined && other !== file)
      throw new UsageError(
        `--save-views: the views of ${other} and ${file} would be written to the same files, ${stemOf(file)}.VIEW.png. To fix: give these pictures in two calls, with two folders.`,
      );
    owners.set(stem, file);
  }
}

/**
 * Writes what a network sees of a picture, pixel by pixel before normalization: DIR/PHOTO.VIEW.png for each view, such as `boot.upper-left.png`.
 * @returns the files, in the order of the views.
 * @throws FivecropError where one cannot be written.
 */
export async function saveViews(
  folder: string,
  file: string,
  image: Image,
  views: readonly View[],
  spec: PreprocessSpec,
): Promise<readonly string[]> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new FivecropError(`cannot make the directory ${folder}: ${messageOf(cause)}. To fix: choose a place that can be written.`, {
      cause,
    });
  }
  const images = viewImages(image, views, spec);
  return Promise.all(
    views.map(async (view, i) => {
      const path = join(folder, `${stemOf(file)}.${nameOfView(view)}.png`);
      await writeWhole(path, await encodePng(images[i]));
      return path;
    }),
  );
}
