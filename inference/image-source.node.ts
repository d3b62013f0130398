import { decodeImage, type NodeDecodeOptions, readImage } from "../pipeline/decode.node.ts";
import type { Image } from "../pipeline/image.ts";

/** A picture in Node: the path of its file, the file's bytes, or decoded pixels. */
export type ImageSource = string | Uint8Array | Image;

/** @throws PictureError where it cannot be read. */
export async function toImage(source: ImageSource, options?: NodeDecodeOptions): Promise<Image> {
  if (typeof source === "string") return readImage(source, options);
  return source instanceof Uint8Array ? decodeImage(source, "the picture", options) : source;
}
