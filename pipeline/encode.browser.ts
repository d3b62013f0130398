import { FivecropError } from "../core/errors.ts";
import { type Image, rgbaPixels } from "./image.ts";

/** A picture as a PNG's bytes, by the browser's encoder: the same pixels when it is read again. */
export async function encodePng(image: Image): Promise<Uint8Array> {
  const { width, height } = image;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) throw new FivecropError(`the browser gives no canvas of ${width}×${height} pixels`);
  context.putImageData(new ImageData(rgbaPixels(image), width, height), 0, 0);
  return new Uint8Array(await (await canvas.convertToBlob({ type: "image/png" })).arrayBuffer());
}
