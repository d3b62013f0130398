import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import type { Rectangle, Size } from "../../pipeline/geometry.ts";
import { createImage, type Image } from "../../pipeline/image.ts";
import { theKernel } from "../../pipeline/kernel.ts";
import { resample } from "../../pipeline/resample.ts";
import { KERNEL } from "../../pipeline/resize.kernel.generated.ts";
import { plainResample } from "../reference/resample.ts";

const FILTERS = ["bilinear", "bicubic"] as const;
const RUNS_OF_WHITE = 4;

/** Noise with runs of black and white, so that bicubic overshoots both ends. */
function picture(width: number, height: number, channels: 1 | 3, seed: number): Image {
  const numbers = random(seed);
  const data = new Uint8Array(width * height * channels);
  for (let i = 0; i < data.length; ) {
    const kind = numbers.integer(3);
    const end = Math.min(data.length, i + channels * (1 + numbers.integer(RUNS_OF_WHITE)));
    for (; i < end; i++) data[i] = kind === 0 ? 0 : kind === 1 ? 255 : numbers.integer(256);
  }
  return createImage(width, height, channels, data);
}

/** How many samples differ from the plain loops'. */
function differences(image: Image, size: Size, filter: (typeof FILTERS)[number], region: Rectangle): number {
  const made = resample(image, size, filter, region);
  const expected = plainResample(image, size, filter, region);
  expect([made.width, made.height, made.channels]).toEqual([expected.width, expected.height, expected.channels]);
  return made.data.reduce((count, value, i) => count + Number(value !== expected.data[i]), 0);
}

describe("the kernel", () => {
  test("is what its source compiles to", () => {
    const script = join(import.meta.dirname, "../../scripts/build-kernel.mjs");
    expect(() => execFileSync(process.execPath, [script, "--check"], { stdio: "pipe" })).not.toThrow();
  });

  test("is small enough for a page's main thread to compile at once", () => expect(atob(KERNEL).length).toBeLessThan(4096));

  test.each(FILTERS)("%s: 300 sizes and regions drawn at random have the plain loops' pixels", (filter) => {
    const numbers = random(filter.length);
    const side = (): number => 1 + numbers.integer(numbers.integer(4) ? 60 : 700);
    for (let trial = 0; trial < 300; trial++) {
      const image = picture(side(), side(), trial % 2 ? 3 : 1, trial);
      const size = { width: numbers.integer(8) ? side() : image.width, height: numbers.integer(8) ? side() : image.height };
      const x = numbers.integer(size.width);
      const y = numbers.integer(size.height);
      const region = numbers.integer(2)
        ? { x: 0, y: 0, ...size }
        : { x, y, width: 1 + numbers.integer(size.width - x), height: 1 + numbers.integer(size.height - y) };
      const label = `${image.width}×${image.height}×${image.channels} → ${size.width}×${size.height}, ${JSON.stringify(region)}`;
      expect([label, differences(image, size, filter, region)]).toEqual([label, 0]);
    }
  });

  // Tiles end at 2048 samples and at 512 rows, strips at 64 rows and at 256 KB, and a column's weights are cut at 65,536.
  test.each<[width: number, height: number, channels: 1 | 3, newWidth: number, newHeight: number]>([
    [90, 70, 3, 1500, 1100],
    [90, 70, 1, 2500, 1025],
    [2100, 5, 3, 2100, 700],
    [5, 2100, 3, 700, 2100],
    [3000, 1300, 3, 1400, 600],
    [200_003, 3, 3, 1, 2],
    [200_003, 3, 1, 2, 3],
    [150_001, 2, 3, 700, 1],
    [3, 200_003, 3, 2, 1],
    [1, 70_000, 1, 1, 20],
  ])("beyond a tile: %i×%i×%i → %i×%i", (width, height, channels, newWidth, newHeight) => {
    const image = picture(width, height, channels, width);
    const size = { width: newWidth, height: newHeight };
    for (const filter of FILTERS) expect(differences(image, size, filter, { x: 0, y: 0, ...size })).toBe(0);
  });

  test("memory: a picture of 100 million pixels needs the kernel's 7 MB and its result", () => {
    const { bytes } = theKernel();
    expect(bytes.length).toBeLessThan(7e6);
    const wide = createImage(50_000, 2_000, 1);
    for (const [image, size] of [
      [wide, { width: 49_999, height: 1 }], // between the passes lie 100 million samples
      [createImage(2_000, 50_000, 1, wide.data), { width: 1_999, height: 1 }],
      [createImage(100_000_000, 1, 1, wide.data), { width: 1, height: 1 }], // one pixel has 100 million weights
    ] as const) {
      const before = process.memoryUsage().arrayBuffers;
      resample(image, size, "bilinear", { x: 0, y: 0, ...size });
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1e6);
    }
    expect(theKernel().bytes).toBe(bytes);
  });
});
