import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { decodeImage } from "../../pipeline/decode.node.ts";
import type { Image } from "../../pipeline/image.ts";
import { pngOfSize } from "../cli/files.ts";
import { type LibraryPage, openLibrary } from "./library-page.ts";

const PHOTOS = [join(import.meta.dirname, "../fixtures/photos"), join(import.meta.dirname, "../../../shared/data/photos")];
const PILLOW = [join(import.meta.dirname, "../fixtures/preprocess"), join(import.meta.dirname, "../../../shared/reference/preprocess")];

let library: LibraryPage;
beforeAll(async () => {
  library = await openLibrary();
});
afterAll(() => library.close());

function largestDifference(a: Image, b: Image): number {
  expect([a.width, a.height, a.channels]).toEqual([b.width, b.height, b.channels]);
  return a.data.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b.data[i])), 0);
}
const expectSame = async (bytes: Uint8Array) =>
  expect(largestDifference(await library.decode(bytes), await decodeImage(bytes, "picture"))).toBe(0);

const WIDTH = 45;
const HEIGHT = 31;
const numbers = random(5);
const picture = (channels: 1 | 3 | 4) =>
  sharp(
    Uint8Array.from({ length: WIDTH * HEIGHT * channels }, (_, i) => 128 + 90 * Math.sin(i / 91) + numbers.integer(30)),
    { raw: { width: WIDTH, height: HEIGHT, channels } },
  );

describe("the same pixels in Chromium and in Node", () => {
  for (const folder of PHOTOS) {
    const there = existsSync(folder);
    if (!there) console.log(`skipped: the photos are not at ${folder}`);
    test.skipIf(!there)(`every JPEG of ${folder.includes("fixtures") ? "the repository" : "the photos"}`, async () => {
      const files = readdirSync(folder).filter((file) => /\.jpe?g$/i.test(file));
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) await expectSame(readFileSync(join(folder, file)));
    });
  }

  test.each(["4:2:0", "4:4:4"])("JPEG with %s, progressive and not", async (chromaSubsampling) => {
    for (const progressive of [false, true]) await expectSame(await picture(3).jpeg({ chromaSubsampling, progressive }).toBuffer());
  });
  test("a gray JPEG is one channel", async () => {
    await expectSame(await picture(1).toColourspace("b-w").jpeg().toBuffer());
  });
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("JPEG, PNG, WebP and AVIF by EXIF orientation %i", async (orientation) => {
    await expectSame(await picture(3).withMetadata({ orientation }).jpeg().toBuffer());
    await expectSame(await picture(3).withMetadata({ orientation }).png().toBuffer());
    await expectSame(await picture(3).withMetadata({ orientation }).webp({ lossless: true }).toBuffer());
    const avif = await picture(3).withMetadata({ orientation }).avif({ quality: 90, chromaSubsampling: "4:4:4" }).toBuffer();
    expect(largestDifference(await library.decode(avif), await decodeImage(avif, "picture"))).toBeLessThanOrEqual(2);
  });
  test("a JPEG and a PNG with a colour profile", async () => {
    await expectSame(await picture(3).withIccProfile("p3").jpeg().toBuffer());
    await expectSame(await picture(3).withIccProfile("p3").png().toBuffer());
  });
  test("a JPEG in CMYK is read, close to Node's", async () => {
    const bytes = await picture(3).toColourspace("cmyk").jpeg({ quality: 95, chromaSubsampling: "4:4:4" }).toBuffer();
    expect(largestDifference(await library.decode(bytes), await decodeImage(bytes, "picture"))).toBeLessThanOrEqual(3);
  });
  test("PNG: gray, alpha, palette, interlaced, 16 bits", async () => {
    for (const channels of [1, 3, 4] as const) {
      const one = channels === 1 ? picture(1).toColourspace("b-w") : picture(channels);
      for (const options of [{}, { palette: true, colours: 16 }, { progressive: true }])
        await expectSame(await one.clone().png(options).toBuffer());
      await expectSame(
        await one
          .clone()
          .toColourspace(channels === 1 ? "grey16" : "rgb16")
          .png()
          .toBuffer(),
      );
    }
  });
  test("WebP and GIF without loss; AVIF within 2 levels", async () => {
    await expectSame(await picture(3).webp({ lossless: true }).toBuffer());
    await expectSame(await picture(3).gif().toBuffer());
    const avif = await picture(3).avif({ quality: 90, chromaSubsampling: "4:4:4" }).toBuffer();
    expect(largestDifference(await library.decode(avif), await decodeImage(avif, "picture"))).toBeLessThanOrEqual(2);
  });
  test("WebP with alpha lies on white, within a level", async () => {
    const bytes = await picture(4).webp({ lossless: true, exact: true }).toBuffer();
    expect(largestDifference(await library.decode(bytes), await decodeImage(bytes, "picture"))).toBeLessThanOrEqual(1);
  });
});

describe("refused in Chromium with Node's words", () => {
  const refusal = (bytes: Uint8Array, maxPixels?: number): Promise<string> =>
    library.decode(bytes, maxPixels).then(
      () => "nothing was refused",
      (error: Error) => error.message,
    );
  test.each<[string, Uint8Array, string]>([
    ["SVG", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), "an SVG, which is a drawing and has no pixels of its own"],
    ["text", Buffer.from("hello, world"), 'text that starts "hello, world"'],
    ["nothing", Buffer.alloc(0), "the file is empty"],
    ["a bomb", pngOfSize(30_000, 30_000), "30000×30000 pixels are 900 megapixels, more than the limit of 100."],
    ["no pixels", pngOfSize(0, 0), "this PNG has 0 pixels"],
  ])("%s", async (_, bytes, message) => {
    expect(await refusal(bytes)).toContain(message);
    await expect(decodeImage(bytes, "picture")).rejects.toThrow(message);
  });
  test("TIFF, which browsers do not read", async () => {
    expect(await refusal(await picture(3).tiff().toBuffer())).toContain("browsers do not read TIFF. To fix: save the picture as a PNG.");
  });
  test.each(["jpeg", "png", "webp", "avif", "gif"] as const)("%s cut short, and beyond the limit", async (format) => {
    const bytes = await picture(3).toFormat(format).toBuffer();
    for (const part of [0.05, 0.3, 0.6])
      expect(await refusal(bytes.subarray(0, Math.floor(bytes.length * part))), `${part}`).toMatch(/this \w+ is damaged or cut short/);
    expect(await refusal(bytes, 1000)).toContain("45×31 pixels are 1 megapixels, more than the limit of 0.001.");
  });
});

test("a browser that gives no canvas: it says so, and of no damaged picture", async () => {
  const bytes = await picture(3).webp().toBuffer();
  await library.page.evaluate(() => {
    const prototype = OffscreenCanvas.prototype as { getContext: unknown };
    Object.assign(globalThis, { getContext: prototype.getContext });
    prototype.getContext = () => null;
  });
  try {
    await expect(library.decode(bytes)).rejects.toThrow(
      /this WebP cannot be read: this browser gives no canvas of 45×31 pixels\. To fix: /,
    );
  } finally {
    await library.page.evaluate(() => {
      (OffscreenCanvas.prototype as { getContext: unknown }).getContext = (globalThis as unknown as { getContext: unknown }).getContext;
    });
  }
  expect((await library.decode(bytes)).width).toBe(WIDTH);
});

for (const folder of PILLOW) {
  const there = existsSync(folder);
  if (!there) console.log(`skipped: Pillow's cases are not at ${folder}`);
  test.skipIf(!there)(
    `Pillow's pixels in Chromium: ${folder.includes("fixtures") ? "the cases of the repository" : "all reference cases"}`,
    async () => {
      const cases = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
      expect(cases.length).toBeGreaterThan(5);
      for (const { source, result, size, interpolation = "bilinear", resize = null, crop = 0, view = "center" } of cases) {
        const bytes = readFileSync(join(folder, source));
        const spec = { resize, filter: "bilinear", crop: [crop, crop], channels: 3, mean: [0, 0, 0], std: [1, 1, 1] } as const;
        const made =
          size !== undefined
            ? await library.resize(bytes, size, interpolation)
            : await library.view(bytes, { anchor: view, flip: false, resize: "roomy" }, spec);
        expect(largestDifference(made, await decodeImage(readFileSync(join(folder, result)), result)), result).toBe(0);
      }
    },
  );
}

test("the page's console stayed silent", () => expect(library.complaints).toEqual([]));
