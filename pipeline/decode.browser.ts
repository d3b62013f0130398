import { FivecropError, PictureError } from "../core/errors.ts";
import { checkFormat, checkSize, type DecodeOptions, damaged, MAX_PIXELS } from "./decode.ts";
import type { Size } from "./geometry.ts";
import type { Image } from "./image.ts";
import type { ImageFormat } from "./image-format.ts";
import { readJpegHeader, statedSize } from "./image-header.ts";
import { createLibjpeg, firstChannels, LibjpegMissing } from "./libjpeg.ts";
import { upright } from "./orientation.ts";
import { decodePng } from "./png.ts";
import { takeOrientation } from "./webp.ts";

/** What reads a picture is not there: no fault of the picture's. */
class Missing extends FivecropError {}

function need(name: "createImageBitmap" | "DecompressionStream" | "OffscreenCanvas"): void {
  if (!(name in globalThis)) throw new Missing(`this browser has no ${name}. To fix: another browser, a newer one`);
}

type Check = (size: Size) => void;
type Decoder = (bytes: Uint8Array<ArrayBuffer>, check: Check) => Promise<Image>;

const libjpeg = createLibjpeg();

/** libjpeg's own pixels, from its WebAssembly: the browser's decoder differs by platform and applies profiles. */
const decodeJpeg: Decoder = async (bytes, check) => {
  const header = readJpegHeader(bytes);
  check(header);
  if (header.components > 3) return decodeByBrowser(bytes, "JPEG");
  return upright(await libjpeg(bytes, header.components === 1 ? 1 : 3), header.orientation);
};

/** What the browser decodes, profiles not applied, upright, on white. */
async function decodeByBrowser(bytes: Uint8Array<ArrayBuffer>, format: ImageFormat): Promise<Image> {
  need("createImageBitmap");
  need("OffscreenCanvas");
  const blob = new Blob([bytes], { type: `image/${format.toLowerCase()}` });
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
  try {
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) {
      const size = `${bitmap.width}×${bitmap.height} pixels`;
      throw new Missing(`this browser gives no canvas of ${size}. To fix: another browser, or save the picture smaller, or as a PNG`);
    }
    context.fillStyle = "white";
    context.fillRect(0, 0, bitmap.width, bitmap.height);
    context.drawImage(bitmap, 0, 0);
    return firstChannels(context.getImageData(0, 0, bitmap.width, bitmap.height), 3);
  } finally {
    bitmap.close();
  }
}

const decodeWebp: Decoder = async (bytes, check) => {
  check(statedSize(bytes, "WebP"));
  const orientation = takeOrientation(bytes);
  return upright(await decodeByBrowser(bytes, "WebP"), orientation);
};

const byBrowser =
  (format: "AVIF" | "GIF"): Decoder =>
  async (bytes, check) => {
    check(statedSize(bytes, format));
    return decodeByBrowser(bytes, format);
  };

const DECODERS: Readonly<Record<Exclude<ImageFormat, "TIFF">, Decoder>> = {
  JPEG: decodeJpeg,
  PNG: async (bytes, check) => {
    need("DecompressionStream");
    const { image, orientation } = await decodePng(bytes, check);
    return upright(image, orientation);
  },
  WebP: decodeWebp,
  AVIF: byBrowser("AVIF"),
  GIF: byBrowser("GIF"),
};

/**
 * A picture file's bytes → Image, as decodeImage in Node: the same pixels of a JPEG (gray or colour) and a PNG; WebP, AVIF, GIF and JPEG in CMYK as the browser
 * decodes them. Upright by EXIF, colour profiles ignored, alpha composed on white, the first frame of several.
 * @param name what messages call the file
 * @throws PictureError as decodeImage in Node, and for TIFF, which browsers do not read. FivecropError where the page lacks what reads it.
 */
export async function decodeImage(bytes: Uint8Array, name: string, { maxPixels = MAX_PIXELS }: DecodeOptions = {}): Promise<Image> {
  const format = checkFormat(bytes, name);
  if (format === "TIFF") throw new PictureError(`${name}: browsers do not read TIFF. To fix: save the picture as a PNG.`);
  let refusal: unknown;
  const check: Check = (size) => {
    try {
      checkSize(size, name, maxPixels);
    } catch (error) {
      refusal = error;
      throw error;
    }
  };
  try {
    return await DECODERS[format](new Uint8Array(bytes), check);
  } catch (cause) {
    if (cause instanceof LibjpegMissing)
      throw new FivecropError(`${name}: this ${format} cannot be read: ${cause.message}. To fix: serve it beside the script.`, { cause });
    if (cause instanceof Missing) throw new FivecropError(`${name}: this ${format} cannot be read: ${cause.message}.`, { cause });
    throw refusal ?? damaged(name, format, cause);
  }
}
