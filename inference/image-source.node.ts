import { PictureError, UsageError } from "../core/errors.ts";
import { decodeImage, readImage } from "../pipeline/decode.node.ts";
import type { Image } from "../pipeline/image.ts";

/** A picture in Node: the path of its file, the file's bytes, or decoded pixels. */
export type ImageSource = string | Uint8Array | Image;

/** @throws PictureError where it cannot be read. */
export async function toImage(source: ImageSource): Promise<Image> {
  try {
    if (typeof source === "string") return await readImage(source);
    return source instanceof Uint8Array ? await decodeImage(source, "the picture") : source;
  } catch (cause) {
    throw cause instanceof Error && !(cause instanceof UsageError) ? new PictureError(cause.message, { cause }) : cause;
  }
}
