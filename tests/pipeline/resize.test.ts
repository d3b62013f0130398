import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { readImage } from "../../pipeline/decode.node.ts";
import { resizedSize } from "../../pipeline/geometry.ts";
import { createImage, crop, type Image, toGray } from "../../pipeline/image.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { type Filter, resize, resizeRegion } from "../../pipeline/resize.ts";
import { type View, viewImage } from "../../pipeline/views.ts";

interface Case {
  readonly source: string;
  readonly result: string;
  readonly size?: number | [number, number];
  readonly interpolation?: Filter;
  readonly resize?: number;
  readonly crop?: number;
  readonly view?: View["anchor"];
}

const FIXTURES = join(import.meta.dirname, "../fixtures/preprocess");
const REFERENCE = join(import.meta.dirname, "../../../shared/reference/preprocess");
const casesOf = (folder: string): readonly Case[] => JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));

function run(image: Image, one: Case): Image {
  if (one.size !== undefined) return resize(image, resizedSize(image, one.size), one.interpolation ?? "bilinear");
  const crop = one.crop ?? 0;
  const spec: PreprocessSpec = {
    resize: one.resize ?? null,
    filter: "bilinear",
    crop: [crop, crop],
    channels: 3,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  };
  return viewImage(image, { anchor: one.view ?? "center", flip: false, resize: "roomy" }, spec);
}

function largestDifference(a: Image, b: Image): number {
  expect([a.width, a.height, a.channels]).toEqual([b.width, b.height, b.channels]);
  return a.data.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b.data[i])), 0);
}

for (const [title, folder] of [
  ["the cases of the repository", FIXTURES],
  ["all reference cases", REFERENCE],
]) {
  const there = existsSync(folder);
  if (!there) console.log(`skipped: Pillow's reference cases are not at ${folder}`);
  describe.skipIf(!there)(`equal to Pillow to the pixel: ${title}`, () => {
    for (const one of there ? casesOf(folder) : [])
      test(one.result, async () => {
        const result = run(await readImage(join(folder, one.source)), one);
        expect(largestDifference(result, await readImage(join(folder, one.result)))).toBe(0);
      });
  });
}

function noise(width: number, height: number, channels: 1 | 3, seed: number): Image {
  const numbers = random(seed);
  return createImage(
    width,
    height,
    channels,
    Uint8Array.from({ length: width * height * channels }, () => numbers.integer(256)),
  );
}

describe("resize", () => {
  test.each<[Filter]>([["bilinear"], ["bicubic"], ["nearest"]])("%s: a region has the pixels of the whole", (filter) => {
    const numbers = random(7);
    for (let trial = 0; trial < 40; trial++) {
      const image = noise(1 + numbers.integer(40), 1 + numbers.integer(40), numbers.integer(2) ? 3 : 1, trial);
      const size = { width: 1 + numbers.integer(50), height: 1 + numbers.integer(50) };
      const x = numbers.integer(size.width + 6) - 6;
      const y = numbers.integer(size.height + 6) - 6;
      const region = { x, y, width: Math.max(1, 1 - x) + numbers.integer(50), height: Math.max(1, 1 - y) + numbers.integer(50) };
      expect(resizeRegion(image, size, filter, region)).toEqual(crop(resize(image, size, filter), region));
    }
  });

  test("one channel is resized as each of three", () => {
    const gray = noise(33, 21, 1, 3);
    const rgb = createImage(
      33,
      21,
      3,
      Uint8Array.from({ length: 33 * 21 * 3 }, (_, i) => gray.data[Math.floor(i / 3)]),
    );
    for (const filter of ["bilinear", "bicubic", "nearest"] as const)
      expect(resize(gray, { width: 14, height: 40 }, filter)).toEqual(toGray(resize(rgb, { width: 14, height: 40 }, filter)));
  });

  test("by hand: bilinear from two pixels to one is their mean, and a flat picture stays flat", () => {
    expect([...resize(createImage(2, 1, 1, Uint8Array.of(10, 21)), { width: 1, height: 1 }, "bilinear").data]).toEqual([16]);
    for (const filter of ["bilinear", "bicubic", "nearest"] as const)
      expect(new Set(resize(createImage(9, 5, 3, new Uint8Array(135).fill(201)), { width: 31, height: 3 }, filter).data)).toEqual(
        new Set([201]),
      );
  });

  test("more than 100 times as high as wide and made lower: down the columns first, in a region too", () => {
    const image = noise(3, 421, 3, 9);
    const size = { width: 37, height: 40 };
    const whole = resize(resize(image, { width: 3, height: 40 }, "bicubic"), size, "bicubic");
    expect(resize(image, size, "bicubic")).toEqual(whole);
    const region = { x: 5, y: 11, width: 20, height: 40 };
    expect(resizeRegion(image, size, "bicubic", region)).toEqual(crop(whole, region));
    const high = createImage(3, 300, 3, image.data.subarray(0, 2700));
    expect(resize(high, size, "bicubic")).not.toEqual(resize(resize(high, { width: 3, height: 40 }, "bicubic"), size, "bicubic"));
  });

  test("the same size is the same image, uncopied", () => {
    const image = noise(5, 4, 3, 1);
    expect(resize(image, { width: 5, height: 4 }, "bicubic")).toBe(image);
  });

  test("a crop of a very long picture needs little memory", () => {
    const image = createImage(200_000, 2, 1);
    const size = resizedSize(image, 256);
    expect(size).toEqual({ width: 25_600_000, height: 256 });
    const region = { x: 12_799_888, y: 16, width: 224, height: 224 };
    expect(resizeRegion(image, size, "bicubic", region).data.length).toBe(224 * 224);
  });
});
