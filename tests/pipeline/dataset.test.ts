import { describe, expect, test } from "vitest";
import { FivecropError, UsageError } from "../../core/errors.ts";
import { random } from "../../core/random.ts";
import { bounded, type Dataset, inMemory, splitDataset, subset } from "../../pipeline/dataset.ts";
import { createImage } from "../../pipeline/image.ts";

const picture = (seed: number) => createImage(3, 2, 1, Uint8Array.of(seed, 2, 3, 4, 5, 6));
const small = inMemory({
  name: "small",
  classNames: ["a", "b", "c"],
  images: Array.from({ length: 10 }, (_, i) => picture(i)),
  labels: [0, 1, 2, 0, 1, 2, 0, 1, 2, 0],
});
const described: Dataset = { ...small, description: { name: "small", root: "/data", split: "train" } };
const firstBytes = async (dataset: Dataset): Promise<number[]> =>
  Promise.all(Array.from({ length: dataset.length }, async (_, i) => (await dataset.image(i)).data[0]));

test("so many images are drawn over the whole data set, the same ones each time, in their order", async () => {
  const labels = Array.from({ length: 90 }, (_, i) => Math.floor(i / 30));
  const sorted = inMemory({ ...small, images: labels.map((_, i) => picture(i)), labels });
  const part = bounded(sorted, 12);
  expect(new Set(part.labels)).toEqual(new Set([0, 1, 2]));
  const places = await firstBytes(part);
  expect(new Set(places).size).toBe(12);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(await firstBytes(bounded(sorted, 12))).toEqual(places);
  expect(bounded(sorted, 90)).toBe(sorted);
});

describe("subset", () => {
  test("images, labels and description go together", async () => {
    const part = subset(described, [7, 2, 2]);
    expect([part.length, [...part.labels]]).toEqual([3, [1, 2, 2]]);
    expect(await firstBytes(part)).toEqual([7, 2, 2]);
    expect(part.description?.indices).toEqual([7, 2, 2]);
  });

  test("a subset of a subset counts in the whole split", () => {
    expect(subset(subset(described, [7, 2, 5]), [2, 0]).description).toEqual({
      name: "small",
      root: "/data",
      split: "train",
      indices: [5, 7],
    });
    expect(subset(small, [1]).description).toBeUndefined();
  });

  test.each([-1, 10, 1.5, Number.NaN])("index %d is refused", (index) =>
    expect(() => subset(small, [0, index])).toThrow("small: expected indices from 0 to 9"),
  );
});

describe("splitDataset", () => {
  test("two parts without overlap, each in order, the same for the same seed", () => {
    const { training, validation } = splitDataset(described, 0.3, 5);
    const [a, b] = [training.description?.indices ?? [], validation.description?.indices ?? []];
    expect([a.length, b.length]).toEqual([7, 3]);
    expect([...a, ...b].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([a.toSorted(), b.toSorted()]).toEqual([a, b]);
    expect(b).toEqual([...random(5).fork("split").permutation(10).slice(0, 3)].sort());
    expect(splitDataset(described, 0.3, 5).validation.description).toEqual(validation.description);
    const others = [6, 7, 8, 9].map((seed) => splitDataset(described, 0.3, seed).validation.description?.indices);
    expect(others.some((indices) => indices?.join() !== b.join())).toBe(true);
  });

  test.each([0, 0.01, 0.99, 1, -1, Number.NaN])("a fraction of %d would leave a part empty", (fraction) =>
    expect(() => splitDataset(small, fraction, 0)).toThrow(UsageError),
  );
});

describe("inMemory", () => {
  const images = [picture(0), picture(1)];
  test.each<[Parameters<typeof inMemory>[0], string]>([
    [{ name: "mine", classNames: ["a"], images: [], labels: [] }, "mine: expected at least one image, received none"],
    [{ name: "mine", classNames: ["a"], images, labels: [0] }, "expected one label for each of 2 images, received 1 labels"],
    [
      { name: "mine", classNames: ["a", "b"], images, labels: [0, 2] },
      "label 1 is 2; expected a whole number from 0 to 1 (2 classes: a, b)",
    ],
    [{ name: "mine", classNames: ["a", "b"], images, labels: [0.5, 0] }, "label 0 is 0.5"],
  ])("%#: refused", (options, message) => {
    expect(() => inMemory(options)).toThrow(FivecropError);
    expect(() => inMemory(options)).toThrow(message);
  });
});
