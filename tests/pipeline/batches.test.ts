import { describe, expect, test } from "vitest";
import { UsageError } from "../../core/errors.ts";
import { random } from "../../core/random.ts";
import { createAugmenter } from "../../pipeline/augmentations/augmenter.ts";
import { type Batch, type BatchPlan, batchCount, batches } from "../../pipeline/batches.ts";
import { type Dataset, inMemory } from "../../pipeline/dataset.ts";
import { createImage } from "../../pipeline/image.ts";

const images = Array.from({ length: 11 }, (_, i) =>
  createImage(
    4,
    3,
    1,
    new Uint8Array(12).map((_, p) => i * 20 + p),
  ),
);
const dataset = inMemory({ name: "small", classNames: ["a", "b", "c"], images, labels: images.map((_, i) => i % 3) });
const plan: BatchPlan = {
  batchSize: 4,
  seed: 3,
  epoch: 2,
  shuffle: true,
  preprocess: { resize: null, filter: "bilinear", crop: [3, 4], channels: 1, mean: [0.5], std: [0.25] },
  augmentations: [{ kind: "flip" }, { kind: "random-crop", padding: 1 }],
  labelSmoothing: 0,
  firstBatch: 0,
};

const copy = ({ images, targets, labels, indices }: Batch) => ({
  shape: images.shape,
  images: [...images.data],
  targets: [...targets.data],
  labels: [...labels],
  indices: [...indices],
});
async function all(source: Dataset, changed: Partial<BatchPlan> = {}) {
  const result: ReturnType<typeof copy>[] = [];
  for await (const batch of batches(source, { ...plan, ...changed })) result.push(copy(batch));
  return result;
}
const flat = (list: Awaited<ReturnType<typeof all>>) => ({
  images: list.flatMap((b) => b.images),
  indices: list.flatMap((b) => b.indices),
});

describe("batches", () => {
  test("every image once, in the epoch's order, the last batch smaller", async () => {
    const list = await all(dataset);
    expect(list.map((batch) => batch.shape)).toEqual([
      [4, 1, 3, 4],
      [4, 1, 3, 4],
      [3, 1, 3, 4],
    ]);
    expect(flat(list).indices).toEqual([...random(3).fork("order", 2).permutation(11)]);
    expect(batchCount(11, 4)).toBe(3);
    expect(flat(await all(dataset, { shuffle: false })).indices).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test("two epochs of alternating flips show both sides of each image, about half of them mirrored in either", async () => {
    const many = inMemory({ name: "many", classNames: ["a", "b"], images: Array(200).fill(images[0]), labels: Array(200).fill(0) });
    const options: Partial<BatchPlan> = { batchSize: 200, shuffle: false, augmentations: [{ kind: "alternating-flip" }] };
    const [even, odd] = await Promise.all([2, 3].map((epoch) => all(many, { ...options, epoch })));
    const mirrored = ({ images: pixels }: (typeof even)[0]) => Array.from({ length: 200 }, (_, i) => pixels[12 * i] > pixels[12 * i + 3]);
    const [first, second] = [mirrored(even[0]), mirrored(odd[0])];
    expect(first.map((one) => !one)).toEqual(second);
    expect(Math.abs(first.filter(Boolean).length - 100)).toBeLessThan(30);
  });

  test("each image augmented by its own noise, then preprocessed; labels and one-hot targets beside it", async () => {
    for (const { images: pixels, targets, labels, indices } of await all(dataset))
      for (const [row, index] of indices.entries()) {
        const noise = random(3).fork("augment", 2, index);
        const expected = new Float32Array(12);
        const turn = 2 + random(3).fork("turn", index).integer(2);
        createAugmenter(plan.augmentations, plan.preprocess).input(images[index], noise, expected, 0, turn);
        expect(pixels.slice(row * 12, row * 12 + 12)).toEqual([...expected]);
        expect(labels[row]).toBe(index % 3);
        expect(targets.slice(row * 3, row * 3 + 3)).toEqual([0, 1, 2].map((label) => Number(label === index % 3)));
      }
  });

  test("an image's noise does not depend on the batch size", async () => {
    expect(flat(await all(dataset, { batchSize: 5 }))).toEqual(flat(await all(dataset)));
    expect(flat(await all(dataset, { batchSize: 100 }))).toEqual(flat(await all(dataset)));
  });

  describe("mixed", () => {
    const mixed = { augmentations: [...plan.augmentations, { kind: "mixup" }, { kind: "cutmix" }] } as const;

    test("a batch's mixing depends on its place and the epoch, and is the same after a resume", async () => {
      const list = await all(dataset, mixed);
      expect(list).toEqual(await all(dataset, mixed));
      expect(await all(dataset, { ...mixed, firstBatch: 2 })).toEqual(list.slice(2));
      expect(list.flatMap(({ indices }) => indices)).toEqual(flat(await all(dataset)).indices);
      expect(list.flatMap(({ targets }) => targets)).not.toEqual((await all(dataset)).flatMap(({ targets }) => targets));
    });

    test("a label is the class of the largest share, with label smoothing too", async () => {
      const changed = new Set<boolean>();
      for (const labelSmoothing of [0, 0.2])
        for (let epoch = 0; epoch < 20; epoch++)
          for (const { targets, labels, indices } of await all(dataset, { ...mixed, epoch, labelSmoothing }))
            for (const [row, label] of labels.entries()) {
              const target = targets.slice(row * 3, row * 3 + 3);
              expect(target[label]).toBe(Math.max(...target));
              expect(target.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
              changed.add(label !== indices[row] % 3);
            }
      expect(changed.size).toBe(2);
    });

    test("images are those of the pairs' shares, their own noise as it was without mixing", async () => {
      const plain = await all(dataset);
      const list = await all(dataset, { augmentations: [...plan.augmentations, { kind: "mixup" }] });
      for (const [b, { images: pixels }] of list.entries()) {
        const sum = (values: readonly number[]) => values.reduce((a, value) => a + value, 0);
        expect(sum(pixels)).toBeCloseTo(sum(plain[b].images), 3);
      }
    });
  });

  test("epochs and seeds differ, in order and in noise", async () => {
    const orders = [await all(dataset), await all(dataset, { epoch: 3 }), await all(dataset, { seed: 4 })].map((list) =>
      flat(list).indices.join(),
    );
    expect(new Set(orders).size).toBe(3);
    const noises = [{ epoch: 2 }, { epoch: 3 }, { seed: 4 }].map((changed) => all(dataset, { ...changed, shuffle: false }));
    expect(new Set((await Promise.all(noises)).map((list) => flat(list).images.join())).size).toBe(3);
  });

  test("from the middle of an epoch on: its tail", async () => {
    expect(await all(dataset, { firstBatch: 1 })).toEqual((await all(dataset)).slice(1));
    expect(await all(dataset, { firstBatch: 3 })).toEqual([]);
  });

  test("label smoothing: (1 − s) · one-hot + s / classes", async () => {
    const [{ targets, labels }] = await all(dataset, { labelSmoothing: 0.3 });
    expect(targets).toEqual(labels.flatMap((label) => [0, 1, 2].map((k) => Math.fround(k === label ? 0.8 : 0.1))));
  });

  test("images that come as promises make the same batches, and a failure is passed on", async () => {
    const slow: Dataset = { ...dataset, image: async (index) => images[index] };
    expect(await all(slow)).toEqual(await all(dataset));
    const failing: Dataset = {
      ...dataset,
      image: async (index) => (index === 6 ? Promise.reject(new Error("image 6 is lost")) : images[index]),
    };
    await expect(all(failing)).rejects.toThrow("image 6 is lost");
  });

  test.each<[Partial<BatchPlan>, string]>([
    [{ batchSize: 0 }, "batch size: expected a whole number of at least 1, received 0"],
    [{ batchSize: 2.5 }, "batch size"],
    [{ labelSmoothing: 1 }, "label smoothing: expected a number from 0"],
    [{ firstBatch: 4 }, "first batch: expected a whole number from 0 to 3 (the batches of an epoch), received 4"],
    [{ augmentations: [{ kind: "random-crop", padding: -1 }] }, "padding: expected a whole number of pixels, 0 or more, received -1"],
    [{ augmentations: JSON.parse('[{"kind":"flop"}]') }, "unknown augmentation 'flop'. Did you mean 'flip'?"],
    [
      { augmentations: JSON.parse('[{"kind":"cutout","sizes":8}]') },
      "augmentation cutout: unknown parameter 'sizes'. Did you mean 'size'?",
    ],
    [
      { augmentations: JSON.parse('[{"kind":"mixup","alpha":null}]') },
      "augmentation mixup: alpha: expected a number above 0, received null",
    ],
    [{ augmentations: JSON.parse('[{"kind":"random-resized-crop","scale":0.5}]') }, "scale: expected two numbers in order"],
    [{ augmentations: JSON.parse('[{"kind":"random-crop"}]') }, "padding: expected a whole number of pixels, 0 or more, received nothing"],
    [{ augmentations: JSON.parse('["flip"]') }, 'expected objects with a kind, such as {"kind":"flip"}, received "flip"'],
  ])("%j is refused", async (changed, message) => {
    await expect(all(dataset, changed)).rejects.toThrow(UsageError);
    await expect(all(dataset, changed)).rejects.toThrow(message);
  });
});
