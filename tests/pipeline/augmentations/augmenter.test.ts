import { describe, expect, test } from "vitest";
import { random } from "../../../core/random.ts";
import { tensor, zeros } from "../../../core/tensor.ts";
import { createAugmenter } from "../../../pipeline/augmentations/augmenter.ts";
import { AUGMENTATIONS, type AugmentationSpec } from "../../../pipeline/augmentations/index.ts";
import { completeSpec } from "../../../pipeline/augmentations/spec.ts";
import { parseAugmentations } from "../../../pipeline/augmentations/text.ts";
import { createImage, crop, flipHorizontal, type Image, toGray } from "../../../pipeline/image.ts";
import { fitImage, normalizeInto, type PreprocessSpec, preprocess } from "../../../pipeline/preprocess.ts";
import { resize } from "../../../pipeline/resize.ts";
import { picture } from "./pictures.ts";

const exact = (height: number, width: number, channels: 1 | 3): PreprocessSpec => ({
  resize: null,
  filter: "bilinear",
  crop: [height, width],
  channels,
  mean: Array(channels).fill(0.5),
  std: Array(channels).fill(0.25),
});

/** What the network gets. */
function inputOf(specs: readonly AugmentationSpec[], image: Image, spec: PreprocessSpec, seed = 0, turn = 0): Float32Array {
  const out = new Float32Array(spec.channels * spec.crop[0] * spec.crop[1]);
  createAugmenter(specs, spec).input(image, random(seed), out, 0, turn);
  return out;
}
const normalized = (image: Image, spec: PreprocessSpec): Float32Array => {
  const out = new Float32Array(image.data.length);
  normalizeInto(image, spec, out, 0);
  return out;
};

describe("small pictures of the network's size", () => {
  const spec = exact(3, 3, 1);
  const image = createImage(3, 3, 1, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9));
  const outcomes = (specs: readonly AugmentationSpec[]): string[] =>
    Array.from({ length: 400 }, (_, seed) => inputOf(specs, image, spec, seed).join());

  test("none: what preprocess makes", () => expect(inputOf([], image, spec)).toEqual(preprocess(image, spec).data));

  test("flip mirrors about half of the time, and does nothing else", () => {
    const results = outcomes([{ kind: "flip" }]);
    const flipped = normalized(flipHorizontal(image), spec).join();
    expect(new Set(results)).toEqual(new Set([normalized(image, spec).join(), flipped]));
    const count = results.filter((result) => result === flipped).length;
    expect(Math.abs(count - 200)).toBeLessThan(50);
  });

  test("alternating-flip mirrors in odd turns, whatever the noise", () => {
    const alternating: AugmentationSpec[] = [{ kind: "alternating-flip" }];
    for (let turn = 0; turn < 4; turn++)
      for (let seed = 0; seed < 5; seed++)
        expect(inputOf(alternating, image, spec, seed, turn)).toEqual(normalized(turn % 2 ? flipHorizontal(image) : image, spec));
  });

  test("random-crop reaches each of its places, about equally often, and no other", () => {
    const results = outcomes([{ kind: "random-crop", padding: 1 }]);
    const places = [-1, 0, 1].flatMap((x) => [-1, 0, 1].map((y) => normalized(crop(image, { x, y, width: 3, height: 3 }), spec).join()));
    expect(new Set(results)).toEqual(new Set(places));
    for (const place of places) expect(results.filter((result) => result === place).length).toBeGreaterThan(20);
    expect(new Set(outcomes([{ kind: "random-crop", padding: 0 }])).size).toBe(1);
  });
});

test("reflected-crop mirrors the picture at its border and reaches each of its places", () => {
  const image = createImage(3, 2, 1, Uint8Array.of(1, 2, 3, 4, 5, 6));
  const spec: PreprocessSpec = { ...exact(2, 3, 1), mean: [0], std: [1 / 255] };
  const found = new Set<string>();
  for (let seed = 0; seed < 300; seed++)
    found.add(Array.from(inputOf([{ kind: "reflected-crop", padding: 2 }], image, spec, seed), Math.round).join(""));
  const rows = ["321", "212", "123", "232", "321"].map((row) => [row, row.replace(/./g, (digit) => String(Number(digit) + 3))]);
  const columns = [0, 1, 0, 1, 0, 1]; // of 6 rows, 2 above and 2 below
  const places = [0, 1, 2, 3, 4].flatMap((y) => rows.map((pair) => pair[columns[y]] + pair[columns[y + 1]]));
  expect(found).toEqual(new Set(places));
});

describe("photos", () => {
  const photo = picture(["smooth", 50, 37, 3]);
  const spec: PreprocessSpec = { ...exact(20, 24, 3), resize: 30 };

  test("random-crop cuts anywhere out of the resized picture, and not in its center only", () => {
    const resized = resize(photo, { width: 40, height: 30 }, "bilinear");
    const places = new Set<string>();
    const found = new Set<string>();
    for (let x = 0; x <= 16; x++)
      for (let y = 0; y <= 10; y++) places.add(normalized(crop(resized, { x, y, width: 24, height: 20 }), spec).join());
    for (let seed = 0; seed < 150; seed++) found.add(inputOf([{ kind: "random-crop", padding: 0 }], photo, spec, seed).join());
    for (const one of found) expect(places.has(one)).toBe(true);
    expect(found.size).toBeGreaterThan(60);
  });

  test("a crop larger than the picture has it in the middle", () => {
    const large = exact(60, 60, 3);
    expect(inputOf([{ kind: "random-crop", padding: 2 }], photo, large)).toEqual(preprocess(photo, large).data);
  });

  test("random-resized-crop is not resized again: the whole picture is torchvision's Resize to the network's size", () => {
    const whole: AugmentationSpec = { kind: "random-resized-crop", scale: [1, 1], ratio: [50 / 37, 50 / 37] };
    expect(inputOf([whole], photo, spec)).toEqual(normalized(resize(photo, { width: 24, height: 20 }, "bilinear"), spec));
    const gray = { ...spec, channels: 1, mean: [0.5], std: [0.25] } as const;
    expect(inputOf([whole], photo, gray)).toEqual(normalized(resize(toGray(photo), { width: 24, height: 20 }, "bilinear"), gray));
  });

  test("what cuts out goes first wherever it stands; the rest is done at the network's size, in order", () => {
    const cut: AugmentationSpec = { kind: "random-resized-crop" };
    const jitter: AugmentationSpec = { kind: "color-jitter", hue: 0.2 };
    for (let seed = 0; seed < 5; seed++)
      expect(inputOf([cut, jitter], photo, spec, seed)).toEqual(inputOf([jitter, cut], photo, spec, seed));
    const augmenter = createAugmenter([{ kind: "flip" }, jitter], spec);
    const fitted = fitImage(photo, spec);
    const small = exact(20, 24, 3);
    const [one, other] = [new Float32Array(1440), new Float32Array(1440)];
    augmenter.input(photo, random(2), one, 0, 0);
    createAugmenter([{ kind: "flip" }, jitter], small).input(fitted, random(2), other, 0, 0);
    expect(one).toEqual(other);
  });
});

test("every kind makes all it can of every preprocessing, and leaves the data set's picture as it was", () => {
  const kinds = Object.keys(AUGMENTATIONS).map(
    (kind) => parseAugmentations(kind.endsWith("-crop") && kind !== "random-resized-crop" ? `${kind}:4` : kind)[0],
  );
  for (const channels of [1, 3] as const)
    for (const one of kinds)
      for (const spec of [exact(32, 32, channels), { ...exact(13, 21, channels), resize: 30 }]) {
        const image = picture(["smooth", 32, 32, channels]);
        const results = Array.from({ length: 20 }, (_, seed) => inputOf([one], image, spec, seed, seed));
        for (const result of results) expect(result.every(Number.isFinite)).toBe(true);
        expect(image).toEqual(picture(["smooth", 32, 32, channels]));
        const mixes = one.kind === "mixup" || one.kind === "cutmix";
        expect(new Set(results.map((result) => result.join())).size > 1).toBe(!mixes);
      }
});

describe("cutout", () => {
  const spec = exact(8, 8, 3);
  const image = picture(["flat", 8, 8, 3]);

  test("a square of zeros in every channel, cut off at the border", () => {
    const untouched = normalized(image, spec)[0];
    const areas = new Set<number>();
    for (let seed = 0; seed < 400; seed++) {
      const data = inputOf([{ kind: "cutout", size: 6 }], image, spec, seed);
      const plane = data.subarray(0, 64);
      const zerosAt = [...plane.keys()].filter((i) => plane[i] === 0);
      expect(data.subarray(64, 128)).toEqual(plane);
      expect(data.subarray(128)).toEqual(plane);
      expect(plane.every((value) => value === 0 || value === untouched)).toBe(true);
      const [columns, rows] = [new Set(zerosAt.map((i) => i % 8)), new Set(zerosAt.map((i) => Math.floor(i / 8)))];
      expect(zerosAt.length).toBe(columns.size * rows.size);
      expect(Math.max(columns.size, rows.size)).toBeLessThanOrEqual(6);
      areas.add(zerosAt.length);
    }
    expect(Math.max(...areas)).toBe(36);
    expect(Math.min(...areas)).toBe(9);
  });
});

describe("a batch of several kinds that mix", () => {
  const batch = () => ({
    images: tensor(
      "float32",
      [4, 1, 2, 2],
      Float32Array.from({ length: 16 }, (_, i) => i >> 2),
    ),
    targets: tensor(
      "float32",
      [4, 4],
      Float32Array.from({ length: 16 }, (_, i) => Number(i % 5 === 0)),
    ),
    labels: Uint16Array.of(0, 1, 2, 3),
  });

  test("has one of them, about equally often", () => {
    const augmenter = createAugmenter([{ kind: "mixup" }, { kind: "cutmix" }], exact(2, 2, 1));
    let whole = 0;
    for (let seed = 0; seed < 300; seed++) {
      const mixed = batch();
      augmenter.mix(mixed, random(seed));
      if (mixed.images.data.every(Number.isInteger)) whole++;
    }
    expect(Math.abs(whole - 150)).toBeLessThan(45);
  });

  test("no kind that mixes: the batch as it was; probability 0 as well", () => {
    for (const specs of [[], [{ kind: "mixup", probability: 0 }], [{ kind: "cutmix", probability: 0 }]] as const) {
      const mixed = batch();
      createAugmenter(specs, exact(2, 2, 1)).mix(mixed, random(1));
      expect(mixed).toEqual(batch());
    }
  });

  test("a batch of one stays alone", () => {
    const one = { images: zeros("float32", [1, 1, 2, 2]), targets: zeros("float32", [1, 4]), labels: Uint16Array.of(2) };
    for (const kind of ["mixup", "cutmix"] as const) createAugmenter([{ kind }], exact(2, 2, 1)).mix(one, random(1));
    expect(one.labels[0]).toBe(2);
  });
});

test("a spec is completed with its defaults", () => {
  expect(completeSpec({ kind: "random-resized-crop" })).toEqual({ kind: "random-resized-crop", scale: [0.08, 1], ratio: [3 / 4, 4 / 3] });
  expect(completeSpec({ kind: "rand-augment", magnitude: 5 })).toEqual({ kind: "rand-augment", operations: 2, magnitude: 5 });
});
