/** x / 255 to the nearest whole number, for 0 ≤ x ≤ 255². */
const over255 = (x: number): number => (x + 128 + ((x + 128) >> 8)) >> 8;

/**
 * Pixels with alpha, laid on white: (colour · alpha + 255 · (255 − alpha)) / 255.
 * @param stride bytes of a pixel; the last is its alpha
 * @param channels colours to keep, the first ones
 */
export function overWhite(pixels: Uint8Array, stride: number, channels: 1 | 3): Uint8Array {
  const result = new Uint8Array((pixels.length / stride) * channels);
  for (let p = 0, o = 0; o < result.length; p += stride) {
    const alpha = pixels[p + stride - 1];
    for (let c = 0; c < channels; c++) result[o++] = over255(pixels[p + c] * alpha + 255 * (255 - alpha));
  }
  return result;
}

/**
 * Ink to light as Pillow's convert("RGB"): with k' = 255 − black, k' − ink · k' / 255. Profiles know better and differ from each other.
 * @param stride bytes of a pixel: cyan, magenta, yellow, black; further ones are ignored
 */
export function cmykToRgb(pixels: Uint8Array, stride: number): Uint8Array {
  const result = new Uint8Array((pixels.length / stride) * 3);
  for (let p = 0, o = 0; o < result.length; p += stride) {
    const light = 255 - pixels[p + 3];
    for (let c = 0; c < 3; c++) result[o++] = light - over255(pixels[p + c] * light);
  }
  return result;
}
