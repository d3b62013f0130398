import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { readJpegHeader, statedSize } from "../../pipeline/image-header.ts";

const WIDTH = 37;
const HEIGHT = 22;
const picture = sharp({ create: { width: WIDTH, height: HEIGHT, channels: 3, background: "teal" } });

describe("readJpegHeader", () => {
  test.each([false, true])("size, components and orientation; progressive: %s", async (progressive) => {
    const bytes = await picture.clone().withMetadata({ orientation: 6 }).jpeg({ progressive }).toBuffer();
    expect(readJpegHeader(bytes)).toEqual({ width: WIDTH, height: HEIGHT, components: 3, orientation: 6 });
    const gray = await picture.clone().toColourspace("b-w").jpeg({ progressive }).toBuffer();
    expect(readJpegHeader(gray)).toEqual({ width: WIDTH, height: HEIGHT, components: 1, orientation: 1 });
    const ink = await picture.clone().toColourspace("cmyk").jpeg({ progressive }).toBuffer();
    expect(readJpegHeader(ink).components).toBe(4);
  });

  test("cut short anywhere, it says so; what follows the end is nobody's business", async () => {
    const bytes = await picture.clone().jpeg().toBuffer();
    for (let length = 3; length < bytes.length; length++)
      expect(() => readJpegHeader(bytes.subarray(0, length)), `${length}`).toThrow("premature end of JPEG image");
    expect(readJpegHeader(Buffer.concat([bytes, Buffer.alloc(50, 7)])).width).toBe(WIDTH);
  });
});

describe("statedSize", () => {
  test("WebP of every kind, AVIF, GIF", async () => {
    const clear = sharp({ create: { width: WIDTH, height: HEIGHT, channels: 4, background: "#ff000080" } });
    const size = { width: WIDTH, height: HEIGHT };
    expect(statedSize(await picture.clone().webp().toBuffer(), "WebP")).toEqual(size);
    expect(statedSize(await picture.clone().webp({ lossless: true }).toBuffer(), "WebP")).toEqual(size);
    expect(statedSize(await clear.webp().toBuffer(), "WebP")).toEqual(size);
    expect(statedSize(await picture.clone().avif().toBuffer(), "AVIF")).toEqual(size);
    expect(statedSize(await picture.clone().gif().toBuffer(), "GIF")).toEqual(size);
  });
});
