import { createImage, type Image } from "../../../pipeline/image.ts";

/** How a picture is made, the same as in tests/golden/pillow/make_augmentations.py. */
export type PictureSpec = readonly [kind: "noise" | "smooth" | "dull" | "flat", width: number, height: number, channels: 1 | 3];

const noise = (i: number): number => Math.imul(i, 2654435761) >>> 24;

/** A small picture that needs no file. */
export function picture([kind, width, height, channels]: PictureSpec): Image {
  const pixel = (i: number): number => {
    const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    if (kind === "flat") return 77;
    if (kind === "noise") return noise(i);
    return kind === "dull" ? 90 + (noise(i) >> 2) : (x * 5 + y * 3 + c * 60 + ((x * y) >> 3)) % 256;
  };
  return createImage(
    width,
    height,
    channels,
    Uint8Array.from({ length: width * height * channels }, (_, i) => pixel(i)),
  );
}
