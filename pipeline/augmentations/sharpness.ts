import { createImage, type Image } from "../image.ts";
import { blend } from "./blend.ts";

/**
 * Factor 0 is smoothed, 1 the picture, more is sharper. Smoothed is (8 neighbours + 5 · itself) / 13, rounded; the border stays as it is.
 * @see PIL.ImageEnhance.Sharpness, PIL.ImageFilter.SMOOTH
 */
export function sharpness(image: Image, factor: number): Image {
  const { width, height, channels, data } = image;
  const alpha = Math.fround(factor);
  const result = createImage(width, height, channels, data.slice());
  const row = width * channels;
  for (let y = 1; y < height - 1; y++)
    for (let i = y * row + channels; i < (y + 1) * row - channels; i++) {
      const above = data[i - row - channels] + data[i - row] + data[i - row + channels];
      const beside = data[i - channels] + 5 * data[i] + data[i + channels];
      const below = data[i + row - channels] + data[i + row] + data[i + row + channels];
      const smooth = ((2 * (above + beside + below) + 13) / 26) | 0;
      result.data[i] = blend(smooth, data[i], alpha);
    }
  return result;
}
