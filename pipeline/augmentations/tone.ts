import type { Image } from "../image.ts";
import { point, tableOf } from "./blend.ts";

/** Keeps the highest bits of each value. @param bits 1 … 8 @see PIL.ImageOps.posterize */
export const posterize = (image: Image, bits: number): Image => {
  const mask = ~(2 ** (8 - bits) - 1);
  return point(image, [tableOf((value) => value & mask)]);
};

/** Inverts the values from a threshold on. @see PIL.ImageOps.solarize */
export const solarize = (image: Image, threshold: number): Image =>
  point(image, [tableOf((value) => (value < threshold ? value : 255 - value))]);

/** How many pixels of a channel have each value. */
function histogram({ data, channels }: Image, channel: number): Uint32Array {
  const counts = new Uint32Array(256);
  for (let i = channel; i < data.length; i += channels) counts[data[i]]++;
  return counts;
}

const eachChannel = (image: Image, of: (counts: Uint32Array) => Uint8Array): Image =>
  point(
    image,
    Array.from({ length: image.channels }, (_, channel) => of(histogram(image, channel))),
  );

/** Stretches each channel's values over 0 … 255. @see PIL.ImageOps.autocontrast */
export const autocontrast = (image: Image): Image =>
  eachChannel(image, (counts) => {
    const low = counts.findIndex((count) => count > 0);
    const high = counts.findLastIndex((count) => count > 0);
    if (high <= low) return tableOf((value) => value);
    const scale = 255 / (high - low);
    const offset = -low * scale;
    return tableOf((value) => Math.trunc(value * scale + offset));
  });

/** Spreads each channel's values so that all are about equally frequent. @see PIL.ImageOps.equalize */
export const equalize = (image: Image): Image =>
  eachChannel(image, (counts) => {
    const last = counts[counts.findLastIndex((count) => count > 0)];
    const step = Math.floor((image.width * image.height - last) / 255);
    if (step === 0) return tableOf((value) => value);
    let below = Math.floor(step / 2);
    return tableOf((value) => {
      const level = Math.floor(below / step);
      below += counts[value];
      return level;
    });
  });
