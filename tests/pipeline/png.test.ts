import sharp, { type PngOptions } from "sharp";
import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { decodeImage } from "../../pipeline/decode.node.ts";
import { upright } from "../../pipeline/orientation.ts";
import { decodePng } from "../../pipeline/png.ts";
import { type MadePng, makePng } from "./make-png.ts";

const WIDTH = 21;
const HEIGHT = 13;
const noise = (length: number, seed = 1): Uint8Array => {
  const numbers = random(seed);
  return Uint8Array.from({ length }, () => numbers.integer(256));
};
/** Smooth, so that a writer chooses every row filter. */
const smooth = (channels: number): Uint8Array =>
  Uint8Array.from({ length: WIDTH * HEIGHT * channels }, (_, i) => 128 + 100 * Math.sin(i / 37) * Math.cos(i / 911) + (i % channels) * 9);
const decode = async (bytes: Uint8Array) => {
  const { image, orientation } = await decodePng(bytes, () => undefined);
  return upright(image, orientation);
};
const expectSame = async (bytes: Uint8Array) => expect(await decode(bytes)).toEqual(await decodeImage(bytes, "picture"));

describe("decodePng has the pixels of Node's decoder", () => {
  const written: readonly PngOptions[] = [
    {},
    { adaptiveFiltering: true },
    { progressive: true },
    { palette: true },
    { palette: true, colours: 16 },
    { palette: true, colours: 4, progressive: true },
    { palette: true, colours: 2 },
  ];
  for (const channels of [1, 2, 3, 4] as const)
    test.each(written)(`${channels} channels, written with %j`, async (options) => {
      for (const pixels of [smooth(channels), noise(WIDTH * HEIGHT * channels)]) {
        const picture = sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels } });
        await expectSame(await (channels < 3 ? picture.toColourspace("b-w") : picture).png(options).toBuffer());
      }
    });

  test.each([1, 3, 4] as const)("16 bits, %i channels", async (channels) => {
    const pixels = new Uint16Array(noise(WIDTH * HEIGHT * channels * 2).buffer);
    const picture = sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels } });
    for (const progressive of [false, true])
      await expectSame(
        await picture
          .clone()
          .toColourspace(channels === 1 ? "grey16" : "rgb16")
          .png({ progressive })
          .toBuffer(),
      );
  });

  const rows = (bytes: number, filter = 0): Uint8Array =>
    Buffer.concat(Array.from({ length: HEIGHT }, (_, y) => Buffer.concat([Buffer.of(filter), noise(bytes, y)])));
  const size = { width: WIDTH, height: HEIGHT };
  const palette = noise(48);
  const cases: Readonly<Record<string, MadePng>> = {
    "gray, 1 bit": { ...size, depth: 1, colourType: 0, rows: rows(3) },
    "gray, 2 bits": { ...size, depth: 2, colourType: 0, rows: rows(6, 1) },
    "gray, 4 bits": { ...size, depth: 4, colourType: 0, rows: rows(11, 2) },
    "gray, 8 bits, one value transparent": { ...size, depth: 8, colourType: 0, rows: rows(21), more: { tRNS: Uint8Array.of(0, 77) } },
    "gray, 2 bits, one value transparent": { ...size, depth: 2, colourType: 0, rows: rows(6), more: { tRNS: Uint8Array.of(0, 2) } },
    "RGB, one colour transparent": {
      ...size,
      depth: 8,
      colourType: 2,
      rows: rows(63),
      more: { tRNS: Uint8Array.of(0, noise(63, 0)[0], 0, noise(63, 0)[1], 0, noise(63, 0)[2]) },
    },
    "palette of 16, some transparent": {
      ...size,
      depth: 4,
      colourType: 3,
      rows: rows(11),
      more: { PLTE: palette, tRNS: Uint8Array.of(0, 100, 200) },
    },
    "average filter": { ...size, depth: 8, colourType: 6, rows: rows(84, 3) },
    "Paeth filter": { ...size, depth: 8, colourType: 6, rows: rows(84, 4) },
    "a gamma that nobody applies": { ...size, depth: 8, colourType: 2, rows: rows(63), more: { gAMA: Uint8Array.of(0, 0, 0xff, 0xff) } },
  };
  test.each(Object.entries(cases))("%s", async (_, made) => expectSame(makePng(made)));

  test.each([1, 2, 3, 4, 5, 6, 7, 8])("upright by EXIF orientation %i", async (orientation) => {
    const picture = sharp(noise(WIDTH * HEIGHT * 3), { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
    const bytes = await picture.withMetadata({ orientation }).png().toBuffer();
    expect((await decodePng(bytes, () => undefined)).orientation).toBe(orientation);
    await expectSame(bytes);
  });
});

describe("decodePng refuses", () => {
  const good = makePng({ width: 3, height: 2, depth: 8, colourType: 0, rows: Uint8Array.of(0, 1, 2, 3, 0, 4, 5, 6) });
  const changed = (at: number, value: number): Buffer => Buffer.from(good).fill(value, at, at + 1);

  test("a file cut short anywhere, and Node's decoder too", async () => {
    expect((await decode(good)).data).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
    for (let length = 8; length < good.length - 12; length++) await expect(decode(good.subarray(0, length)), `${length}`).rejects.toThrow();
  });

  test.each<[string, Uint8Array, string]>([
    ["a wrong checksum", changed(18, 1), "wrong checksum of its IHDR chunk"],
    ["an unknown colour type", changed(25, 5), "no PNG has colour type 5 of 8 bits"],
    ["a palette without colours", changed(25, 3), "IHDR"],
    ["an unknown filter", makePng({ width: 1, height: 1, depth: 8, colourType: 0, rows: Uint8Array.of(9, 1) }), "unknown row filter 9"],
    [
      "too few rows",
      makePng({ width: 1, height: 9, depth: 8, colourType: 0, rows: Uint8Array.of(0, 1) }),
      "expected 18 bytes of image data, found 2",
    ],
    [
      "a colour outside of the palette",
      makePng({ width: 1, height: 1, depth: 8, colourType: 3, rows: Uint8Array.of(0, 7), more: { PLTE: new Uint8Array(6) } }),
      "palette index 7 of 2 colours",
    ],
    ["no palette", makePng({ width: 1, height: 1, depth: 8, colourType: 3, rows: Uint8Array.of(0, 7) }), "palette is missing"],
  ])("%s", async (_, bytes, message) => {
    await expect(decode(bytes)).rejects.toThrow(message);
  });
});
