import { createImage, type Image, toGray } from "../image.ts";
import { blend, point, tableOf } from "./blend.ts";

const { fround } = Math;

/** Factor 0 is black, 1 the picture, more is brighter. @see PIL.ImageEnhance.Brightness */
export function brightness(image: Image, factor: number): Image {
  const alpha = fround(factor);
  return point(image, [tableOf((value) => blend(0, value, alpha))]);
}

/** Factor 0 is the mean gray, 1 the picture, more has more contrast. @see PIL.ImageEnhance.Contrast */
export function contrast(image: Image, factor: number): Image {
  const gray = toGray(image).data;
  let sum = 0;
  for (let i = 0; i < gray.length; i++) sum += gray[i];
  const mean = Math.trunc(sum / gray.length + 0.5);
  const alpha = fround(factor);
  return point(image, [tableOf((value) => blend(mean, value, alpha))]);
}

/** Factor 0 is gray, 1 the picture, more is more colourful; nothing for gray pictures. @see PIL.ImageEnhance.Color */
export function saturation(image: Image, factor: number): Image {
  if (image.channels === 1) return image;
  const { width, height, data } = image;
  const alpha = fround(factor);
  const result = createImage(width, height, 3);
  const out = result.data;
  const gray = toGray(image).data;
  for (let i = 0, j = 0; i < gray.length; i++, j += 3) {
    const from = gray[i];
    out[j] = blend(from, data[j], alpha);
    out[j + 1] = blend(from, data[j + 1], alpha);
    out[j + 2] = blend(from, data[j + 2], alpha);
  }
  return result;
}

/** Which of six parts of the circle a hue of 0 … 255 lies in, and how far, as a float32. */
const SECTOR = Uint8Array.from({ length: 256 }, (_, hue) => Math.floor((hue * 6) / 255) % 6);
const WITHIN = Float32Array.from({ length: 256 }, (_, hue) => (hue * 6) / 255 - Math.floor((hue * 6) / 255));

/** The hue of a colour that is not gray, 0 … 255. */
function hueOf(r: number, g: number, b: number, largest: number, range: number): number {
  const red = fround((largest - r) / range);
  const green = fround((largest - g) / range);
  const blue = fround((largest - b) / range);
  const part = r === largest ? fround(blue - green) : g === largest ? fround(2 + red - blue) : fround(4 + green - red);
  const turn = part / 6 + 1;
  return (fround(turn >= 1 ? turn - 1 : turn) * 255) | 0;
}

const round = (value: number): number => Math.floor(value + 0.5);

/**
 * The hue turned by a share of the circle, through Pillow's 8-bit HSV, there and back; nothing for gray pictures.
 * @param shift in [−0.5, 0.5]
 * @see torchvision.transforms.functional.adjust_hue; https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Convert.c
 */
export function hue(image: Image, shift: number): Image {
  if (image.channels === 1) return image;
  const { width, height, data } = image;
  const turn = Math.trunc(shift * 255);
  const result = createImage(width, height, 3);
  const out = result.data;
  for (let i = 0; i < data.length; i += 3) {
    const r = data[i];
    const g = data[i + 1];
    const b = data[i + 2];
    const v = Math.max(r, g, b);
    const range = v - Math.min(r, g, b);
    const s = range === 0 ? 0 : (fround(range / v) * 255) | 0;
    if (s === 0) {
      out[i] = out[i + 1] = out[i + 2] = v;
      continue;
    }
    const h = (hueOf(r, g, b, v, range) + turn) & 255;
    const share = fround(s / 255);
    const f = WITHIN[h];
    const p = round(v * (1 - share));
    const q = round(v * (1 - fround(share * f)));
    const t = round(v * (1 - share * (1 - f)));
    const sector = SECTOR[h];
    out[i] = sector === 0 || sector === 5 ? v : sector === 1 ? q : sector === 4 ? t : p;
    out[i + 1] = sector === 1 || sector === 2 ? v : sector === 0 ? t : sector === 3 ? q : p;
    out[i + 2] = sector === 3 || sector === 4 ? v : sector === 2 ? t : sector === 5 ? q : p;
  }
  return result;
}
