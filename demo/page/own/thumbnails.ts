/** Pixels a side, twice of what is shown. */
export const SIDE = 112;

const canvasOf = (): OffscreenCanvasRenderingContext2D => {
  const context = new OffscreenCanvas(SIDE, SIDE).getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error(`The browser gives no canvas of ${SIDE} × ${SIDE} pixels.`);
  return context;
};

/** The middle of a picture's file, RGBA. */
export async function makeThumbnail(file: Blob): Promise<Uint8ClampedArray<ArrayBuffer>> {
  const bitmap = await createImageBitmap(file);
  const { width, height } = bitmap;
  const side = Math.min(width, height);
  const context = canvasOf();
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
  bitmap.close();
  return context.getImageData(0, 0, SIDE, SIDE).data as Uint8ClampedArray<ArrayBuffer>;
}

/** To be drawn. */
export const toBitmap = (pixels: Uint8ClampedArray<ArrayBuffer>): Promise<ImageBitmap> =>
  createImageBitmap(new ImageData(pixels, SIDE, SIDE));
