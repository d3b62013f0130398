import { statSync } from "node:fs";
import sharp from "sharp";
import type { ImageSource } from "./image-source.node.ts";

/** Of a file: what it holds is small as a rule, and reading its header first would cost up to a quarter of the rate. */
const SMALL = 2 ** 19;

/** Bytes that a picture takes once it is decoded, by its file's header; 0 where the file is small, or cannot be read, which its decoder will say. */
export async function decodedBytes(source: ImageSource): Promise<number> {
  if (typeof source !== "string" && !(source instanceof Uint8Array)) return source.data.length;
  try {
    const size = typeof source === "string" ? statSync(source).size : source.length; // a promise's turn in the thread pool costs twenty times this
    if (size <= SMALL) return 0;
    const { width, height, channels } = await sharp(source).metadata();
    return width * height * channels;
  } catch {
    return 0;
  }
}
