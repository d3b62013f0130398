import sharp from "sharp";
import type { Image } from "./image.ts";

/** A picture as a PNG's bytes, gray or RGB, 8 bits: the same pixels when it is read again. */
export async function encodePng({ width, height, channels, data }: Image): Promise<Uint8Array> {
  const pipeline = sharp(data, { raw: { width, height, channels } });
  return (channels === 1 ? pipeline.toColourspace("b-w") : pipeline).png().toBuffer();
}
