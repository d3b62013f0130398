import { messageOf, PictureError } from "../core/errors.ts";
import { decodeImage, type NodeDecodeOptions, readImage } from "../pipeline/decode.node.ts";
import { checkImage, type Image } from "../pipeline/image.ts";

/** A picture in Node: the path of its file, the file's bytes, or decoded pixels. */
export type ImageSource = string | Uint8Array | Image;

/** A picture's path or bytes as they are, decoded pixels checked. @throws PictureError where it is none of these. */
export function checkSource(source: ImageSource): ImageSource {
  if (typeof source === "string" || source instanceof Uint8Array) return source;
  try {
    return checkImage(source, "a picture's path, its bytes (a Uint8Array)");
  } catch (cause) {
    throw new PictureError(messageOf(cause), { cause });
  }
}

/** @throws PictureError where it cannot be read, or is no picture. */
export async function toImage(source: ImageSource, options?: NodeDecodeOptions): Promise<Image> {
  const checked = checkSource(source);
  if (typeof checked === "string") return readImage(checked, options);
  return checked instanceof Uint8Array ? decodeImage(checked, "the picture", options) : checked;
}
