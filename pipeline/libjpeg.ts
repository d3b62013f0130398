import decodeWithMozjpeg, { init } from "@jsquash/jpeg/decode.js";
import { FivecropError, messageOf } from "../core/errors.ts";
import { createImage, type Image } from "./image.ts";

/** The decoder itself is not there: no fault of the picture's. */
export class LibjpegMissing extends FivecropError {}

/** Every fourth group of bytes: RGBA without its alpha, or gray from equal colours. */
export function firstChannels({ width, height, data }: Pick<ImageData, "width" | "height" | "data">, channels: 1 | 3): Image {
  const image = createImage(width, height, channels);
  const { data: out } = image;
  if (channels === 1) for (let p = 0, o = 0; o < out.length; p += 4) out[o++] = data[p];
  else
    for (let p = 0, o = 0; o < out.length; p += 4, o += 3) {
      out[o] = data[p];
      out[o + 1] = data[p + 1];
      out[o + 2] = data[p + 2];
    }
  return image;
}

/** Whether it is there, and what it said last. */
interface Started {
  isLoaded: boolean;
  said: string;
}

/**
 * libjpeg (mozjpeg) as WebAssembly in this thread: a JPEG's own pixels, not turned, profiles not applied. What is cut short it fills with gray.
 * @param binary the module's bytes, where the platform cannot fetch them from beside the script
 * @returns a decoder of gray (1) and colour (3) JPEGs. It throws FivecropError where the file is damaged, LibjpegMissing where the module cannot be loaded.
 */
export function createLibjpeg(binary?: () => ArrayBuffer): (bytes: Uint8Array<ArrayBuffer>, channels: 1 | 3) => Promise<Image> {
  let libjpeg: Started | undefined;
  const start = (): Started => {
    const started = { isLoaded: false, said: "" };
    void init({
      ...(binary && { wasmBinary: binary() }),
      onRuntimeInitialized: () => {
        started.isLoaded = true;
      },
      printErr: (text: string) => {
        started.said = text;
      },
    });
    return started;
  };
  return async (bytes, channels) => {
    libjpeg ??= start();
    const used = libjpeg;
    try {
      return firstChannels(await decodeWithMozjpeg(bytes as Uint8Array & ArrayBuffer, { preserveOrientation: false }), channels);
    } catch (cause) {
      libjpeg = undefined; // where a file is damaged it exits, with all that it holds in its memory: another is started for the next file
      if (used.isLoaded) throw new FivecropError(used.said || messageOf(cause), { cause });
      throw new LibjpegMissing(`the decoder, mozjpeg_dec.wasm, cannot be loaded (${messageOf(cause)})`);
    }
  };
}
