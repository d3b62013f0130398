import { expect, test } from "vitest";
import { UsageError } from "../../core/errors.ts";
import { type Dataset, inMemory } from "../../pipeline/dataset.ts";
import { createImage } from "../../pipeline/image.ts";
import { stratifiedSplit } from "../../pipeline/stratified-split.ts";

/** Classes of these sizes, mixed. */
function datasetOf(...sizes: readonly number[]): Dataset {
  const labels = sizes.flatMap((size, k) => Array<number>(size).fill(k)).sort((a, b) => ((a * 7 + b) % 3) - 1);
  const images = labels.map(() => createImage(1, 1, 1));
  const classNames = sizes.map((_, k) => `class ${k}`);
  return { ...inMemory({ name: "made", classNames, images, labels }), description: { name: "made", root: "", split: "all" } };
}
const countsOf = ({ labels, classNames }: Dataset): number[] => classNames.map((_, k) => labels.filter((label) => label === k).length);
const indicesOf = ({ description }: Dataset): number[] => [...(description?.indices ?? [])];

test.each([
  [[10, 10], 0.2, [2, 2]],
  [[100, 50, 10], 0.1, [10, 5, 1]],
  [[100, 3], 0.1, [9, 1]], // at least one of each, 10 in all
  [[3, 3, 3], 0.2, [1, 1, 0]], // 1.8 images: not one for each
  [[7, 7, 7], 5, [2, 2, 1]],
  [[4, 4], 0.9, [3, 3]], // one of each is left
  [[30, 2, 1], 0.2, [6, 0, 0]],
  [[5, 0, 5], 0.2, [1, 0, 1]],
])("classes of %j images, %d of them: %j for validation", (sizes, amount, expected) => {
  const dataset = datasetOf(...sizes);
  for (const seed of [0, 1]) {
    const { training, validation } = stratifiedSplit(dataset, amount, seed);
    expect(countsOf(validation).toSorted()).toEqual(expected.toSorted());
    if (new Set(sizes).size > 1) expect(countsOf(validation)).toEqual(expected);
    const both = [...indicesOf(training), ...indicesOf(validation)].sort((a, b) => a - b);
    expect(both).toEqual(Array.from({ length: dataset.length }, (_, i) => i));
    for (const part of [training, validation]) expect(indicesOf(part)).toEqual(indicesOf(part).toSorted((a, b) => a - b));
  }
});

test("the same seed draws the same, another one others; a share of all classes is kept where the plain draw loses some", () => {
  const dataset = datasetOf(...Array<number>(40).fill(5));
  const drawn = (seed: number) => indicesOf(stratifiedSplit(dataset, 0.2, seed).validation);
  expect(drawn(3)).toEqual(drawn(3));
  expect(drawn(4)).not.toEqual(drawn(3));
  expect(countsOf(stratifiedSplit(dataset, 0.2, 3).validation)).toEqual(Array(40).fill(1));
});

test("classes of fewer than three images are named, ten of them at most", () => {
  expect(stratifiedSplit(datasetOf(5, 3), 0.2, 0).notes).toEqual([]);
  const [note] = stratifiedSplit(datasetOf(5, 2, 1), 0.2, 0).notes;
  expect(note).toBe(
    "2 classes with fewer than 3 pictures, trained on but not validated on, so that no accuracy is known of them: class 1 (2), class 2 (1)",
  );
  expect(stratifiedSplit(datasetOf(5, 2), 0.2, 0).notes[0]).toMatch(/^1 class with .* known of it: class 1 \(2\)$/);
  expect(stratifiedSplit(datasetOf(5, ...Array<number>(12).fill(1)), 0.2, 0).notes[0]).toMatch(/class 10 \(1\) and 2 more$/);
});

test.each([0, 1, -1, 0.5e9, 2.5, Number.NaN, 9])("%d of two classes of 5 is refused", (amount) =>
  expect(() => stratifiedSplit(datasetOf(5, 5), amount, 0)).toThrow(UsageError),
);

test("no class of three images: nothing to draw from", () =>
  expect(() => stratifiedSplit(datasetOf(2, 2, 1), 0.2, 0)).toThrow(
    "expected a class of at least 3 images to draw from, found none in made (5 images of 3 classes). To fix: add pictures",
  ));
