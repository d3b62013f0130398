import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FivecropError } from "../../core/errors.ts";
import { openDataset } from "../../pipeline/datasets/index.ts";

const RECORDS = 4;
const NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const META = `${NAMES.join("\n")}\n\n`;
const FILES = [...[1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`), "test_batch.bin"];

/** Record i of batch b: its label, then planes of red, green and blue. */
const batch = (b: number): Buffer => {
  const bytes = Buffer.alloc(RECORDS * 3073);
  for (let i = 0; i < RECORDS; i++) {
    bytes[i * 3073] = (b + i) % 10;
    for (let p = 0; p < 3072; p++) bytes[i * 3073 + 1 + p] = (p * 3 + b * 11 + i * 5) % 256;
  }
  return bytes;
};

let root: string;
const put = (name: string, bytes: Uint8Array | string) => writeFile(join(root, "cifar-10", "cifar-10-batches-bin", name), bytes);
const open = (split = "train") => openDataset({ name: "cifar-10", root, split });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fivecrop-cifar-"));
  await mkdir(join(root, "cifar-10", "cifar-10-batches-bin"), { recursive: true });
  await put("batches.meta.txt", META);
  for (const [b, name] of FILES.entries()) await put(name, batch(b));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("CIFAR-10", () => {
  test("records of five batches in order, planes interleaved", async () => {
    const dataset = await open();
    expect([dataset.length, dataset.classNames]).toEqual([20, NAMES]);
    expect([...dataset.labels]).toEqual([0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7]);
    const image = await dataset.image(9); // batch 2 (counted from 0), record 1
    expect([image.width, image.height, image.channels]).toEqual([32, 32, 3]);
    for (const [x, y, c] of [
      [0, 0, 0],
      [5, 7, 1],
      [31, 31, 2],
    ])
      expect(image.data[3 * (32 * y + x) + c]).toBe(((c * 1024 + 32 * y + x) * 3 + 2 * 11 + 5) % 256);
    expect((await open("test")).length).toBe(RECORDS);
    expect(dataset.description).toEqual({ name: "cifar-10", root, split: "train" });
  });

  test.each<[string, string, Uint8Array | string, string]>([
    ["cut short", "data_batch_3.bin", batch(2).subarray(0, 5000), "expected records of 3073 bytes"],
    ["empty", "test_batch.bin", "", "found 0 bytes"],
    ["a label out of range", "data_batch_1.bin", Buffer.concat([Buffer.of(10), Buffer.alloc(3072)]), "record 0 is of class 10"],
    ["too long", "data_batch_2.bin", Buffer.concat([batch(1), Buffer.alloc(7)]), "found 12299 bytes: 4 records and 7 bytes"],
    ["CIFAR-100's records", "data_batch_5.bin", Buffer.alloc(4 * 3074), "is cut short or no CIFAR-10 batch"],
    [
      "a name twice",
      "batches.meta.txt",
      [...NAMES.slice(1), "cat"].join("\n"),
      "expected a name of its own for each class, found 'cat' twice",
    ],
    ["eleven names", "batches.meta.txt", [...NAMES, "boat"].join("\n"), "expected 10 class names, a line each, found 11"],
    ["nine names", "batches.meta.txt", NAMES.slice(1).join("\n"), "expected 10 class names, a line each, found 9"],
  ])("%s", async (_, name, bytes, message) => {
    await put(name, bytes);
    const error = await open(name === "test_batch.bin" ? "test" : "train").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FivecropError);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).toContain(join("cifar-10-batches-bin", name));
  });

  test.each(["data_batch_4.bin", "batches.meta.txt"])("%s is missing", async (name) => {
    await rm(join(root, "cifar-10", "cifar-10-batches-bin", name));
    await expect(open()).rejects.toThrow(`${name} is missing. To fix: fivecrop datasets fetch cifar-10`);
  });

  test("a folder in a batch's place", async () => {
    await rm(join(root, "cifar-10", "cifar-10-batches-bin", "data_batch_4.bin"));
    await mkdir(join(root, "cifar-10", "cifar-10-batches-bin", "data_batch_4.bin"));
    await expect(open()).rejects.toThrow("data_batch_4.bin: cannot be read: it is a folder, where a file is expected. To fix: ");
  });

  test("a batch that has become shorter is named when it is read", async () => {
    const dataset = await open("test");
    await put("test_batch.bin", batch(5).subarray(0, 3073));
    expect(() => dataset.image(3)).toThrow(
      "test_batch.bin: expected 3072 bytes of record 3 from byte 9220 on, found 0: it has become shorter. To fix: fetch it again",
    );
    await rm(join(root, "cifar-10", "cifar-10-batches-bin", "test_batch.bin"));
    expect(() => dataset.image(3)).toThrow("found that it cannot be read: there is no such file or folder. To fix: fetch it again");
  });
});

const { FIVECROP_DATA = "" } = process.env;
const real = existsSync(join(FIVECROP_DATA, "cifar-10"));
if (!real) console.log("skipped: the official CIFAR-10 (set FIVECROP_DATA to a folder that has it)");
test.skipIf(!real)("the official batches", async () => {
  const dataset = await openDataset({ name: "cifar-10", root: FIVECROP_DATA, split: "train" });
  expect([dataset.length, dataset.classNames]).toEqual([50_000, NAMES]);
  const counts = Array<number>(10).fill(0);
  for (const label of dataset.labels) counts[label]++;
  expect(counts).toEqual(Array(10).fill(5000));
  const sums = [0, 0, 0];
  for (let i = 0; i < dataset.length; i += 5) {
    const { data } = await dataset.image(i);
    for (let p = 0; p < data.length; p++) sums[p % 3] += data[p];
  }
  const means = sums.map((sum) => sum / (10_000 * 1024 * 255));
  [0.4914, 0.4822, 0.4465].forEach((mean, c) => {
    expect(means[c]).toBeCloseTo(mean, 2); // the well-known means of red, green and blue
  });
});
