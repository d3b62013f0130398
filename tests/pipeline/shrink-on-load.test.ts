import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../core/errors.ts";
import { decodeImage } from "../../pipeline/decode.node.ts";
import type { Image } from "../../pipeline/image.ts";
import { resize } from "../../pipeline/resize.ts";

const WIDTH = 1600;
const HEIGHT = 1203;

/** Waves of different lengths, not symmetric under any turn. */
const scene = (channels: 1 | 3) => {
  const data = new Uint8Array(WIDTH * HEIGHT * channels);
  for (let y = 0, i = 0; y < HEIGHT; y++)
    for (let x = 0; x < WIDTH; x++)
      for (let c = 0; c < channels; c++) data[i++] = 128 + 60 * Math.sin(x / (9 + 20 * c)) + 60 * Math.sin((x + 3 * y) / 170);
  return sharp(data, { raw: { width: WIDTH, height: HEIGHT, channels } });
};
const decode = (bytes: Uint8Array, shrinkOnLoad?: number): Promise<Image> => decodeImage(bytes, "scene.jpg", { shrinkOnLoad });

const colour = await scene(3).jpeg({ quality: 95 }).toBuffer();

/** Quicker on millions of samples than toEqual. */
const same = (a: Image, b: Image): boolean => a.width === b.width && a.channels === b.channels && Buffer.compare(a.data, b.data) === 0;

/** In levels, over all samples of two images of one size. */
const meanDifference = (a: Image, b: Image): number => {
  expect([a.width, a.height, a.channels]).toEqual([b.width, b.height, b.channels]);
  return a.data.reduce((sum, value, i) => sum + Math.abs(value - b.data[i]), 0) / a.data.length;
};

describe("shrinkOnLoad", () => {
  test.each([1, 3, 6])(
    "a JPEG six times as large or more becomes twice as large, near to the whole one resized: EXIF %i",
    async (orientation) => {
      const bytes = await scene(3).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer();
      const shrunk = await decode(bytes, 100);
      expect([shrunk.width, shrunk.height]).toEqual(orientation === 6 ? [200, 266] : [266, 200]);
      const whole = resize(await decode(bytes), shrunk, "bilinear");
      expect(meanDifference(shrunk, whole)).toBeLessThan(2);
      expect(same(shrunk, whole)).toBe(false);
    },
  );

  test("gray stays gray", async () => {
    const bytes = await scene(1).toColourspace("b-w").jpeg({ quality: 95 }).toBuffer();
    const shrunk = await decode(bytes, 100);
    expect([shrunk.width, shrunk.height, shrunk.channels]).toEqual([266, 200, 1]);
    expect(meanDifference(shrunk, resize(await decode(bytes), shrunk, "bilinear"))).toBeLessThan(2);
  });

  test("left out, in smaller JPEGs and in other formats, no pixel changes", async () => {
    const whole = await decode(colour);
    expect([whole.width, whole.height]).toEqual([WIDTH, HEIGHT]);
    expect(Buffer.compare(whole.data, await sharp(colour).raw().toBuffer())).toBe(0);
    expect(same(await decode(colour, 201), whole)).toBe(true); // 1203 is less than 6 · 201
    const png = await scene(3).png({ compressionLevel: 1 }).toBuffer();
    expect(same(await decode(png, 10), await decode(png))).toBe(true);
  });

  test("cut short, it is refused as ever", async () => {
    const half = colour.subarray(0, colour.length >> 1);
    await expect(decode(half, 100)).rejects.toThrow("scene.jpg: this JPEG is damaged or cut short");
  });

  test.each([0, -1, 2.5, Number.NaN])("%d is refused", async (side) => {
    const refused = decode(colour, side);
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(`a whole number above 0, received ${side}`);
  });
});
