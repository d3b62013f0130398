import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import type { View } from "../pipeline/views.ts";
import { type Crops, cropsOf } from "./crops.ts";
import { type ImageSource, toImage } from "./image-source.node.ts";
import { sideFor } from "./shrink-on-load.node.ts";

export interface ReadCropsOptions {
  readonly spec: PreprocessSpec;
  /** A large JPEG is read at a reduced size. */
  readonly shrinkOnLoad: boolean;
}

/** A picture's views, from its file. @throws PictureError where it cannot be read. */
export const readCrops = async (source: ImageSource, views: readonly View[], { spec, shrinkOnLoad }: ReadCropsOptions): Promise<Crops> =>
  cropsOf(await toImage(source, { shrinkOnLoad: shrinkOnLoad ? sideFor(views, spec) : undefined }), views, spec);
