import { PictureError, UsageError } from "../core/errors.ts";
import { decodeImage, type NodeDecodeOptions, readImage } from "../pipeline/decode.node.ts";
import type { Image } from "../pipeline/image.ts";

/** A picture in Node: the path of its file, the file's bytes, or decoded pixels. */
export type ImageSource = string | Uint8Array | Image;

/** @throws PictureError where it cannot be read. */
export async function toImage(source: ImageSource, options?: NodeDecodeOptions): Promise<Image> {
  try {
    if (typeof source === "string") return await readImage(source, options);
    return source instanceof Uint8Array ? await decodeImage(source, "the picture", options) : source;
  } catch (cause) {
    throw cause instanceof Error && !(cause instanceof UsageError) ? new PictureError(cause.message, { cause }) : cause;
  }
}
