import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { inMemory } from "../../pipeline/dataset.ts";
import { openDataset } from "../../pipeline/datasets/index.ts";
import { decodeImage } from "../../pipeline/decode.node.ts";
import { fingerprintOf, THUMBNAIL } from "../../pipeline/fingerprint.ts";
import { fingerprintsOf } from "../../pipeline/fingerprints.node.ts";
import { createImage, type Image } from "../../pipeline/image.ts";
import {
  createFingerprints,
  createNearSearch,
  type Fingerprints,
  type NearPair,
  pickFingerprints,
  setFingerprint,
} from "../../pipeline/near-duplicates.ts";
import { packPictures } from "../../pipeline/pack.node.ts";
import { PRESETS } from "../../pipeline/presets.ts";
import { classes, writeTree } from "./make-pictures.ts";

/** Soft coloured spots on a coloured ground: a picture with something to see, unlike each other. */
function spots(seed: number, width = 120, height = 90, channels: 1 | 3 = 3): Image {
  const source = random(seed);
  const image = createImage(width, height, channels);
  const ground = [source.integer(200), source.integer(200), source.integer(200)];
  const all = Array.from({ length: 6 }, () => ({
    x: source.uniform(),
    y: source.uniform(),
    r: 0.1 + 0.3 * source.uniform(),
    c: [source.integer(256), source.integer(256), source.integer(256)],
  }));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) {
        const value = all.reduce((v, s) => {
          const d = ((x / width - s.x) ** 2 + (y / height - s.y) ** 2) / s.r ** 2;
          return v + (s.c[c] - v) * Math.exp(-3 * d);
        }, ground[c]);
        image.data[(y * width + x) * channels + c] = Math.round(value);
      }
  return image;
}

const printsOf = (images: readonly Image[]): Fingerprints => {
  const prints = createFingerprints(images.length);
  for (const [i, image] of images.entries()) setFingerprint(prints, i, fingerprintOf(image));
  return prints;
};
function nearPairs(first: Fingerprints, second: Fingerprints): NearPair[] {
  const search = createNearSearch(second);
  return Array.from({ length: first.length }, (_, i) => search(first, i)).filter((pair) => pair !== undefined);
}
const raw = ({ data, width, height, channels }: Image) => sharp(data, { raw: { width, height, channels } });
const decoded = async (image: Sharp): Promise<Image> => decodeImage(await image.toBuffer(), "a copy");

describe("what looks alike", () => {
  const originals = Array.from({ length: 40 }, (_, i) => spots(i));

  test.each<[string, (image: Image) => Sharp]>([
    ["itself", (image) => raw(image).png()],
    ["compressed", (image) => raw(image).jpeg({ quality: 40 })],
    ["half the size", (image) => raw(image).resize(60).jpeg()],
    ["five times the size", (image) => raw(image).resize(600).jpeg()],
    ["cut by 2 %", (image) => raw(image).extract({ left: 1, top: 1, width: 118, height: 88 }).png()],
    ["a little brighter", (image) => raw(image).linear(1, 4).png()],
  ])("%s: each finds its own original", async (_, change) => {
    const copies = await Promise.all(originals.map((image) => decoded(change(image))));
    const pairs = nearPairs(printsOf(copies), printsOf(originals));
    expect(pairs.map(({ index, twin }) => [index, twin])).toEqual(originals.map((_image, i) => [i, i]));
  });

  test.each<[string, (image: Image) => Sharp]>([
    ["a mirror", (image) => raw(image).flop().png()],
    ["a negative", (image) => raw(image).negate().png()],
    ["another picture", () => raw(spots(1000)).png()],
  ])("%s is none", async (_, change) => {
    const others = await Promise.all(originals.map((image) => decoded(change(image))));
    expect(nearPairs(printsOf(others), printsOf(originals))).toEqual([]);
  });

  test("plain pictures, whose hashes are all alike, are told apart by their colours", () => {
    const plain = (level: number) => createImage(20, 20, 3, new Uint8Array(1200).fill(level));
    const found = nearPairs(printsOf([plain(10), plain(200)]), printsOf([plain(100), plain(202), plain(250)]));
    expect(found).toEqual([{ index: 1, twin: 1, distance: 0, difference: 2 }]);
  });

  test("a large picture looks like its small copy, and gray like gray", () => {
    const large = spots(7, 1500, 1100);
    expect(nearPairs(printsOf([large]), printsOf([spots(7)]))).toHaveLength(1);
    expect(nearPairs(printsOf([spots(7, 1500, 1100, 1)]), printsOf([spots(7, 120, 90, 1)]))).toHaveLength(1);
  });
});

test("the bucketed search finds what comparing all finds, within five bits", () => {
  const source = random(3);
  const made = (n: number): Fingerprints => {
    const prints = createFingerprints(n);
    for (let i = 0; i < n; i++) {
      const hash: [number, number] = [source.integer(2 ** 31), source.integer(2 ** 31)];
      setFingerprint(prints, i, { hash, thumbnail: new Uint8Array(THUMBNAIL).fill(100) });
    }
    return prints;
  };
  const [first, second] = [made(400), made(300)];
  for (let i = 0; i < 400; i += 4) {
    const from = source.integer(300);
    const words = [...second.hashes.subarray(2 * from, 2 * from + 2)];
    for (const bit of source.permutation(62).slice(0, i % 10)) words[bit >> 5] ^= 1 << (bit & 31);
    first.hashes.set(words, 2 * i);
  }
  const bits = (word: number): number => word.toString(2).replaceAll("0", "").length;
  const distance = (i: number, j: number): number =>
    bits((first.hashes[2 * i] ^ second.hashes[2 * j]) >>> 0) + bits((first.hashes[2 * i + 1] ^ second.hashes[2 * j + 1]) >>> 0);
  const near = Array.from({ length: 400 }, (_, i) => i).filter((i) =>
    Array.from({ length: 300 }, (_, j) => distance(i, j)).some((d) => d <= 5),
  );
  const found = nearPairs(first, second);
  expect(found.map(({ index }) => index)).toEqual(near);
  expect(near.length).toBeGreaterThan(40);
  for (const pair of found) expect(distance(pair.index, pair.twin)).toBe(pair.distance);
  const picked = pickFingerprints(first, [8, 4]);
  expect([...picked.hashes]).toEqual([...first.hashes.subarray(16, 18), ...first.hashes.subarray(8, 10)]);
});

test("ten thousand against forty thousand take seconds", () => {
  const source = random(9);
  const fill = (n: number): Fingerprints => {
    const prints = createFingerprints(n);
    for (let i = 0; i < 2 * n; i++) prints.hashes[i] = source.integer(2 ** 32 - 1);
    return prints;
  };
  const [first, second] = [fill(10_000), fill(40_000)];
  first.hashes.set(second.hashes.subarray(2 * 777, 2 * 777 + 2), 2 * 5);
  const start = performance.now();
  expect(nearPairs(first, second)).toEqual([{ index: 5, twin: 777, distance: 0, difference: 0 }]);
  expect(performance.now() - start).toBeLessThan(15_000);
});

describe("fingerprints of decoded pictures", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fivecrop-near-"));
    await writeTree(join(folder, "photos"), classes(["a", "b"], 70));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  async function all(...args: Parameters<typeof fingerprintsOf>) {
    const steps: number[] = [];
    const finding = fingerprintsOf(...args);
    let step = await finding.next();
    for (; !step.done; step = await finding.next()) steps.push(step.value.done);
    return { steps, prints: step.value };
  }

  test("are computed once and kept beside the pictures; what is cut short is computed anew", async () => {
    const dataset = await openDataset({ name: `folder:${join(folder, "photos")}`, root: "", split: "all" });
    const packing = packPictures({ ...dataset, file: dataset.file! }, PRESETS.imagenet, { cache: join(folder, "cache"), workers: 1 });
    let step = await packing.next();
    while (!step.done) step = await packing.next();
    const packed = step.value!;
    expect(packed.files).toEqual(Array.from({ length: 140 }, (_, i) => dataset.file!(i)));
    expect((await all(packed.dataset, AbortSignal.abort())).prints).toBeUndefined();
    const first = await all(packed.dataset);
    expect(first.steps).toEqual([64, 128, 140]);
    const second = await all(packed.dataset);
    expect(second).toEqual({ steps: [], prints: first.prints });
    const [version] = await readdir(join(folder, "cache"));
    await writeFile(join(folder, "cache", version, "fingerprints-1"), "short");
    expect(await all(packed.dataset)).toEqual(first);
  });

  test("images in memory have some too", async () => {
    const images = [spots(1), spots(2)];
    const { prints } = await all(inMemory({ name: "made", classNames: ["a"], images, labels: [0, 0] }));
    expect(prints).toEqual(printsOf(images));
  });
});
