import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FivecropError } from "../../core/errors.ts";
import { parseAugmentations } from "../../pipeline/augmentations/text.ts";
import { createLoader } from "../../pipeline/batches.node.ts";
import { type Batch, type BatchPlan, batches } from "../../pipeline/batches.ts";
import { type Dataset, subset } from "../../pipeline/dataset.ts";
import { DATASETS, openDataset } from "../../pipeline/datasets/index.ts";
import type { Loader } from "../../pipeline/loader.ts";

const plan: BatchPlan = {
  batchSize: 32,
  seed: 1,
  epoch: 0,
  shuffle: true,
  preprocess: DATASETS["fashion-mnist-sample"].defaultPreprocess,
  augmentations: [{ kind: "flip" }, { kind: "random-crop", padding: 2 }],
  labelSmoothing: 0.1,
  firstBatch: 0,
};

const copy = ({ images, targets, labels, indices }: Batch) => ({
  images: createHash("sha256").update(images.data).digest("hex"),
  targets: [...targets.data],
  labels: labels.slice(),
  indices: indices.slice(),
});
async function all(source: AsyncIterable<Batch>) {
  const result: ReturnType<typeof copy>[] = [];
  for await (const batch of source) result.push(copy(batch));
  return result;
}
async function firstOf(source: AsyncGenerator<Batch>) {
  for await (const batch of source) return copy(batch);
  return undefined;
}

let dataset: Dataset;
let loader: Loader;
beforeAll(async () => {
  const sample = await openDataset({ name: "fashion-mnist-sample", root: "unused", split: "test" });
  dataset = subset(
    sample,
    Array.from({ length: 300 }, (_, i) => (i * 7) % sample.length),
  );
  loader = createLoader(dataset);
});
afterAll(() => loader.dispose());

describe("a loader's worker", () => {
  test("makes the same batches as this thread, epoch after epoch", async () => {
    const everything = parseAugmentations("flip,random-resized-crop:0.5,color-jitter,rand-augment,cutout:6,mixup,cutmix");
    for (const changed of [
      {},
      { epoch: 1 },
      { epoch: 3, augmentations: everything },
      { batchSize: 77, epoch: 2 },
      { augmentations: [], shuffle: false },
    ]) {
      const list = await all(loader.batches({ ...plan, ...changed }));
      expect(list).toEqual(await all(batches(dataset, { ...plan, ...changed })));
      expect(list.reduce((sum, batch) => sum + batch.labels.length, 0)).toBe(300);
    }
  });

  test("resumes in the middle of an epoch", async () =>
    expect(await all(loader.batches({ ...plan, firstBatch: 6 }))).toEqual((await all(batches(dataset, plan))).slice(6)));

  test("a batch's arrays are gone, not wrong, once the next one is asked for", async () => {
    const generator = loader.batches(plan);
    const { value } = await generator.next();
    expect(value?.images.data.length).toBe(32 * 784);
    await generator.next();
    expect(value?.images.data.length).toBe(0);
    await generator.return();
  });

  test("can be left early, many times over", async () => {
    const [expected] = await all(batches(dataset, plan));
    for (let i = 0; i < 20; i++)
      expect(await firstOf(loader.batches({ ...plan, batchSize: 32 - (i % 2) }))).toHaveProperty("labels.length", 32 - (i % 2));
    expect(await firstOf(loader.batches(plan))).toEqual(expected);
    expect((await all(loader.batches(plan))).length).toBe(10);
  });

  test("a new epoch ends the one that was left without a word", async () => {
    const left = loader.batches(plan);
    await left.next();
    expect((await all(loader.batches({ ...plan, epoch: 4 }))).length).toBe(10);
    await expect(left.next()).rejects.toThrow("this epoch was ended by the start of another one");
    expect((await all(loader.batches(plan))).length).toBe(10);
  });

  test("its errors arrive here with their messages", async () => {
    const description = { name: "fashion-mnist", root: join(import.meta.dirname, "nowhere"), split: "train" };
    const broken = createLoader({ ...dataset, description });
    for (let i = 0; i < 2; i++) {
      const error = await all(broken.batches(plan)).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(FivecropError);
      expect((error as Error).message).toContain(join("nowhere", "fashion-mnist", "train-images-idx3-ubyte.gz"));
    }
    await broken.dispose();
    await expect(all(loader.batches({ ...plan, batchSize: -1 }))).rejects.toThrow("batch size");
  });

  test("once disposed of it says so, also to who is waiting", async () => {
    const other = createLoader(dataset);
    const waiting = all(other.batches(plan));
    await Promise.all([expect(waiting).rejects.toThrow("was disposed of"), other.dispose()]);
    await expect(all(other.batches(plan))).rejects.toThrow("was disposed of");
  });

  test("without a description this thread reads", async () => {
    const other = createLoader({ ...dataset, description: undefined });
    expect(await all(other.batches(plan))).toEqual(await all(batches(dataset, plan)));
    await other.dispose();
  });

  test("does not keep a process alive that is done, and does one that waits", async () => {
    const dist = (path: string) => JSON.stringify(new URL(`../../dist/pipeline/${path}`, import.meta.url).href);
    const script = `
      import { createLoader } from ${dist("batches.node.js")};
      import { openDataset } from ${dist("datasets/index.js")};
      const loader = createLoader(await openDataset({ name: "fashion-mnist-sample", root: "unused", split: "test" }));
      let count = 0;
      for await (const batch of loader.batches(${JSON.stringify(plan)})) if (++count === 5) break;
      console.log(count);`;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { timeout: 30_000 });
    expect(stdout).toBe("5\n");
  });
});
