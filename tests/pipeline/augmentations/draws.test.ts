import { describe, expect, test } from "vitest";
import { random } from "../../../core/random.ts";
import { tensor } from "../../../core/tensor.ts";
import { colorJitter } from "../../../pipeline/augmentations/color-jitter.ts";
import { drawBox } from "../../../pipeline/augmentations/cutmix.ts";
import { beta, logGamma } from "../../../pipeline/augmentations/draw.ts";
import { pairs } from "../../../pipeline/augmentations/mix.ts";
import { CHOICES, randAugment } from "../../../pipeline/augmentations/rand-augment.ts";
import { drawRectangle, largestCenter } from "../../../pipeline/augmentations/random-resized-crop.ts";
import { createStage } from "../../../pipeline/augmentations/spec.ts";
import { picture } from "./pictures.ts";

const COUNT = 20_000;
const draws = (draw: () => number): number[] => Array.from({ length: COUNT }, draw);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
function variance(values: readonly number[]): number {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
}

describe("Gamma and Beta", () => {
  test.each([0.3, 1, 2.5, 9])("Gamma(%d): its mean and its variance are the shape", (shape) => {
    const noise = random(7);
    const values = draws(() => Math.exp(logGamma(noise, shape)));
    expect(Math.abs(mean(values) / shape - 1)).toBeLessThan(4 / Math.sqrt(COUNT * shape));
    expect(Math.abs(variance(values) / shape - 1)).toBeLessThan(0.12);
  });

  test.each([0.2, 0.4, 1, 3])("Beta(%d, the same): mean 1/2, variance 1 / (8a + 4), symmetric", (a) => {
    const noise = random(11);
    const values = draws(() => beta(noise, a, a));
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(Math.abs(mean(values) - 0.5)).toBeLessThan(0.015);
    expect(Math.abs(variance(values) * (8 * a + 4) - 1)).toBeLessThan(0.06);
  });

  test("Beta(1, 1) is uniform: the largest distance of the distributions (Kolmogorov and Smirnov)", () => {
    const noise = random(3);
    const sorted = draws(() => beta(noise, 1, 1)).sort((a, b) => a - b);
    expect(Math.max(...sorted.map((value, i) => Math.abs(value - i / COUNT)))).toBeLessThan(1.63 / Math.sqrt(COUNT));
  });

  test("so small a shape that float64 holds no such Gamma gives 0 or 1", () => {
    const noise = random(5);
    for (let i = 0; i < 1000; i++) expect(beta(noise, 1e-4, 1e-4)).toSatisfy((value: number) => value >= 0 && value <= 1);
  });
});

describe("random-resized-crop", () => {
  const spec = { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] } as const;

  test("rectangles inside the picture, of the areas and ratios asked for, everywhere", () => {
    const noise = random(2);
    const [width, height] = [320, 240];
    const found = Array.from({ length: 5000 }, () => drawRectangle({ width, height }, spec, noise));
    for (const { x, y, width: w, height: h } of found) {
      expect(x >= 0 && y >= 0 && x + w <= width && y + h <= height).toBe(true);
      expect((w * h) / (width * height)).toBeGreaterThan(0.078);
      expect(w / h).toBeGreaterThan(0.74);
      expect(w / h).toBeLessThan(1.35);
    }
    expect(Math.min(...found.map(({ x }) => x))).toBe(0);
    expect(Math.max(...found.map(({ x, width: w }) => x + w))).toBe(width);
    const always = { scale: [0.1, 0.4], ratio: spec.ratio } as const;
    const areas = draws(() => {
      const { width: w, height: h } = drawRectangle({ width, height }, always, noise);
      return (w * h) / (width * height);
    });
    expect(Math.abs(mean(areas) - 0.25)).toBeLessThan(0.003); // uniform
    expect(Math.abs(variance(areas) / (0.3 ** 2 / 12) - 1)).toBeLessThan(0.05);
  });

  test("where nothing fits in ten attempts: the center, as wide or as high as the ratios allow", () => {
    const noise = random(1);
    const long = { width: 1000, height: 10 };
    expect(drawRectangle(long, { scale: [1, 1], ratio: spec.ratio }, noise)).toEqual({ x: 493, y: 0, width: 13, height: 10 });
    expect(largestCenter({ width: 10, height: 1000 }, spec.ratio)).toEqual({ x: 0, y: 493, width: 10, height: 13 });
    expect(largestCenter({ width: 30, height: 31 }, spec.ratio)).toEqual({ x: 0, y: 0, width: 30, height: 31 });
    expect(drawRectangle({ width: 1, height: 1 }, spec, noise)).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  });
});

describe("mixing", () => {
  test("pairs: everyone once, one alone where the number is odd, all partners possible", () => {
    const partners = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const found = pairs(5, random(seed));
      expect(found).toHaveLength(2);
      expect(new Set(found.flat()).size).toBe(4);
      for (const pair of found) partners.add(String([...pair].sort()));
    }
    expect(partners.size).toBe(10);
  });

  test("cutmix's box has the share 1 − λ where it is not cut off", () => {
    const noise = random(4);
    const boxes = Array.from({ length: 500 }, () => drawBox(64, 32, 0.75, noise));
    expect(Math.max(...boxes.map(({ width, height }) => width * height))).toBe((64 * 32) / 4);
    for (const { x, y, width, height } of boxes) expect(x >= 0 && y >= 0 && x + width <= 64 && y + height <= 32).toBe(true);
    expect(drawBox(64, 32, 1, noise)).toMatchObject({ width: 0, height: 0 });
  });

  /** Image i has the value 10^i everywhere, and class i. */
  const batchOf = (n: number) => ({
    images: tensor(
      "float32",
      [n, 2, 8, 8],
      Float32Array.from({ length: n * 128 }, (_, i) => 10 ** Math.floor(i / 128)),
    ),
    targets: tensor(
      "float32",
      [n, n],
      Float32Array.from({ length: n * n }, (_, i) => Number(i % (n + 1) === 0)),
    ),
    labels: Uint16Array.from({ length: n }, (_, i) => i),
  });

  test.each(["mixup", "cutmix"] as const)("%s: pixels and targets in the same shares, the label that of the larger", (kind) => {
    const stage = createStage({ kind, alpha: 0.8 });
    if (stage.stage !== "batch") throw new Error("expected a batch-level augmentation");
    const shares = new Set<number>();
    for (let seed = 0; seed < 60; seed++) {
      const batch = batchOf(4);
      stage.apply(batch, random(seed));
      for (let i = 0; i < 4; i++) {
        const pixels = batch.images.data.subarray(i * 128, (i + 1) * 128);
        const target = batch.targets.data.subarray(i * 4, (i + 1) * 4);
        expect(target.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
        expect(target.filter((share) => share > 0).length).toBeLessThanOrEqual(2);
        const expected = target.reduce((sum, share, k) => sum + share * 10 ** k, 0);
        expect(pixels.reduce((a, b) => a + b) / 128 / expected).toBeCloseTo(1, 4);
        if (kind === "mixup") expect(new Set(pixels).size).toBe(1);
        else expect(pixels.every((value) => [1, 10, 100, 1000].includes(value))).toBe(true);
        expect(target[batch.labels[i]]).toBe(Math.max(...target));
        shares.add(target[i]);
      }
    }
    expect(shares.size).toBeGreaterThan(10);
  });
});

describe("color-jitter and rand-augment", () => {
  const full = picture(["smooth", 32, 32, 3]);
  const image = { ...full, data: full.data.map((value) => 20 + 0.8 * value) };

  test("the order of a jitter is random; a strength of 0 changes nothing", () => {
    const stage = colorJitter.create({ kind: "color-jitter", brightness: 0, contrast: 0, saturation: 0, hue: 0 });
    if (stage.stage !== "image") throw new Error("expected a change of an image");
    for (let seed = 0; seed < 5; seed++) expect(stage.apply(image, random(seed), 0)).toBe(image);
    const strong = colorJitter.create({ kind: "color-jitter", brightness: 0.5, contrast: 0.5, saturation: 0.5, hue: 0.5 });
    if (strong.stage !== "image") throw new Error("expected a change of an image");
    const results = Array.from({ length: 50 }, (_, seed) => strong.apply(image, random(seed), 0).data.join());
    expect(new Set(results).size).toBe(50);
  });

  test("rand-augment draws each of 14 operations, both ways where they have a sign, N times", () => {
    expect(CHOICES).toHaveLength(14);
    const once = new Set<string>();
    for (const { strength, signed, apply } of CHOICES)
      for (const sign of signed ? [1, -1] : [1]) once.add(apply(image, sign * strength(9, image)).data.join());
    expect(once.size).toBe(23); // the 9 with a sign twice, and 5
    const stage = randAugment.create({ kind: "rand-augment", operations: 1, magnitude: 9 });
    if (stage.stage !== "image") throw new Error("expected a change of an image");
    const found = new Set(Array.from({ length: 600 }, (_, seed) => stage.apply(image, random(seed), 0).data.join()));
    expect(found).toEqual(once);
    const twice = randAugment.create({ kind: "rand-augment", operations: 2, magnitude: 9 });
    if (twice.stage !== "image") throw new Error("expected a change of an image");
    expect(new Set(Array.from({ length: 300 }, (_, seed) => twice.apply(image, random(seed), 0).data.join())).size).toBeGreaterThan(100);
  });
});
