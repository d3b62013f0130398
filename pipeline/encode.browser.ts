import { FivecropError } from "../core/errors.ts";
import type { Image } from "./image.ts";

/** A picture as a PNG's bytes, by the browser's encoder: the same pixels when it is read again. */
export async function encodePng({ width, height, channels, data }: Image): Promise<Uint8Array> {
  const pixels = new ImageData(width, height);
  for (let p = 0, o = 0; p < data.length; p += channels) {
    for (let c = 0; c < 3; c++) pixels.data[o++] = data[p + (channels === 3 ? c : 0)];
    pixels.data[o++] = 255;
  }
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new FivecropError(`the browser gives no canvas of ${width}×${height} pixels`);
  context.putImageData(pixels, 0, 0);
  return new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
}
