import { dirname, join } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import { makeDirectoryFor } from "../core/make-directory.node.ts";
import { readImage } from "../pipeline/decode.node.ts";
import { encodePng } from "../pipeline/encode.node.ts";
import { type HeatMap, overlayHeat } from "../pipeline/heat-map.ts";
import type { Image } from "../pipeline/image.ts";
import { EXPLANATION } from "../pipeline/image-format.ts";
import { resize } from "../pipeline/resize.ts";
import { createClaims, stemOf } from "./claims.node.ts";

/** Writes heat maps over their pictures. */
export interface ExplanationSaver {
  /** @throws UsageError where another picture's has the same name. */
  claim(file: string): void;
  /** @returns the file. @throws UsageError as claim does; FivecropError where the picture cannot be read, or the file cannot be written. */
  save(file: string, heat: HeatMap): Promise<string>;
}

/** Small pictures are enlarged by whole pixels, up to this longer side: their heat maps are to be looked at. */
const ENLARGED = 256;

function enlarged(picture: Image): Image {
  const { width, height } = picture;
  const factor = Math.floor(ENLARGED / Math.max(width, height));
  return factor > 1 ? resize(picture, { width: factor * width, height: factor * height }, "nearest") : picture;
}

/** Saves PICTURE.explain.png beside the pictures, or in a folder, which is made where it is missing. */
export function createExplanationSaver(folder?: string): ExplanationSaver {
  const pathOf = (file: string): string => join(folder ?? dirname(file), `${stemOf(file)}${EXPLANATION}`);
  const claim = createClaims(
    (owner, file) =>
      `--explain: the heat maps of ${owner} and ${file} would be written to the same file, ${pathOf(file)}. To fix: give these pictures in two calls, with two folders (--explain-to).`,
    pathOf,
  );
  return {
    claim,
    async save(file, heat) {
      claim(file);
      const path = pathOf(file);
      const picture = overlayHeat(enlarged(await readImage(file)), heat);
      if (folder !== undefined) await makeDirectoryFor(folder, "--explain-to");
      await writeWhole(path, await encodePng(picture));
      return path;
    },
  };
}
