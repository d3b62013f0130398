import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FivecropError, UsageError } from "../../core/errors.ts";
import { SAMPLE_FOLDER } from "../../pipeline/datasets/fashion-mnist.ts";
import { DATASETS, dataRoot, openDataset } from "../../pipeline/datasets/index.ts";
import { readImage } from "../../pipeline/decode.node.ts";
import { idx } from "../cli/files.ts";

const COUNT = 5;
const pixels = Uint8Array.from({ length: COUNT * 784 }, (_, i) => i % 256);
const images = idx(0x803, [COUNT, 28, 28], pixels);
const labels = idx(0x801, [COUNT], Uint8Array.of(9, 0, 3, 3, 1));
const IMAGES = "train-images-idx3-ubyte";
const LABELS = "train-labels-idx1-ubyte";

let root: string;
const put = (name: string, bytes: Uint8Array): Promise<void> => writeFile(join(root, "fashion-mnist", name), bytes);
const open = () => openDataset({ name: "fashion-mnist", root, split: "train" });

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fivecrop-idx-"));
  await mkdir(join(root, "fashion-mnist"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("IDX files", () => {
  test.each([
    ["gzipped", ".gz", (bytes: Uint8Array): Uint8Array => gzipSync(bytes)],
    ["plain", "", (bytes: Uint8Array) => bytes],
    ["unzipped, but still named .gz", ".gz", (bytes: Uint8Array) => bytes],
  ])("%s", async (_, suffix, pack) => {
    await put(IMAGES + suffix, pack(images));
    await put(LABELS + suffix, pack(labels));
    const dataset = await open();
    expect([dataset.name, dataset.length, [...dataset.labels]]).toEqual(["fashion-mnist", COUNT, [9, 0, 3, 3, 1]]);
    expect(dataset.classNames[9]).toBe("Ankle boot");
    expect(await dataset.image(2)).toEqual({ width: 28, height: 28, channels: 1, data: pixels.subarray(2 * 784, 3 * 784) });
    expect(dataset.description).toEqual({ name: "fashion-mnist", root, split: "train" });
    const part = await openDataset({ name: "fashion-mnist", root, split: "train", indices: [4, 0] });
    expect([...part.labels]).toEqual([1, 9]);
  });

  const cut = gzipSync(images).subarray(0, 60);
  const corrupt = Buffer.from(gzipSync(pixels));
  corrupt.fill(0x55, 20, 60);
  test.each<[string, string, Uint8Array, string]>([
    ["truncated images", IMAGES, images.subarray(0, 2000), "is cut short: its header says 5 × 28 × 28 = 3920 bytes, found 1984"],
    ["truncated header", IMAGES, images.subarray(0, 9), "is cut short: expected a header of 16 bytes, found 9 bytes in all"],
    ["too long", LABELS, Buffer.concat([labels, Buffer.alloc(3)]), "is too long: its header says 5 = 5 bytes, found 8"],
    ["empty", LABELS, Buffer.alloc(0), "expected a header of 8 bytes, found 0 bytes in all"],
    ["no elements", IMAGES, idx(0x803, [0, 28, 28], Buffer.alloc(0)), "expected at least one element"],
    ["wrong magic", IMAGES, idx(0x1234, [5, 28, 28], pixels), "expected the magic number 0x00000803 (images), found 0x00001234"],
    [
      "images of another size",
      IMAGES,
      idx(0x803, [5, 28, 32], new Uint8Array(5 * 28 * 32)),
      "images of 28 × 28 pixels, its header says 28 × 32",
    ],
    ["images for labels", LABELS, images, "expected the magic number 0x00000801 (labels), found 0x00000803 (images)"],
    ["labels for images", IMAGES, idx(0x801, [16], new Uint8Array(16)), "found 0x00000801 (labels)"],
    ["gzip cut short", `${IMAGES}.gz`, cut, "its gzip data are corrupt or cut short"],
    ["gzip corrupt", `${IMAGES}.gz`, corrupt, "its gzip data are corrupt or cut short"],
    [
      "labels of another length",
      LABELS,
      idx(0x801, [4], new Uint8Array(4)),
      `expected a label for each of the 5 images of ${IMAGES}, found 4`,
    ],
    [
      "a label out of range",
      LABELS,
      idx(0x801, [5], Uint8Array.of(0, 1, 10, 3, 4)),
      "label 2 is 10; expected a whole number from 0 to 9 (10 classes",
    ],
  ])("%s", async (_, file, bytes, message) => {
    await put(IMAGES, images);
    await put(LABELS, labels);
    await put(file, bytes);
    const error = await open().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FivecropError);
    expect((error as Error).message).toContain(join(root, "fashion-mnist", file));
    expect((error as Error).message).toContain(message);
  });

  test("a folder in a file's place", async () => {
    await put(IMAGES, images);
    await mkdir(join(root, "fashion-mnist", LABELS));
    await expect(open()).rejects.toThrow(`${LABELS}: cannot be read: it is a folder, where a file is expected`);
  });

  test("a missing file says where it was looked for and how to get it", async () => {
    await put(`${IMAGES}.gz`, gzipSync(images));
    await expect(open()).rejects.toThrow(join(root, "fashion-mnist", `${LABELS}.gz`));
    const elsewhere = join(root, "elsewhere");
    const error = await openDataset({ name: "fashion-mnist", root: elsewhere, split: "train" }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FivecropError);
    for (const part of [
      elsewhere,
      "t10k-images-idx3-ubyte.gz",
      "--data-dir DIR",
      "FIVECROP_DATA",
      "fashion-mnist-sample",
      "github.com/zalandoresearch",
    ])
      expect((error as Error).message).toContain(part);
  });
});

describe("the table", () => {
  test("unknown names", async () => {
    await expect(openDataset({ name: "fashion-minst", root, split: "train" })).rejects.toThrow(UsageError);
    await expect(openDataset({ name: "fashion-minst", root, split: "train" })).rejects.toThrow("Did you mean 'fashion-mnist'?");
    await expect(openDataset({ name: "fashion-mnist", root, split: "valid" })).rejects.toThrow("There are: train, test");
  });

  test("the data root: asked for, else FIVECROP_DATA, else the user's cache", () => {
    const before = process.env.FIVECROP_DATA;
    process.env.FIVECROP_DATA = "/somewhere";
    expect([dataRoot("/asked"), dataRoot()]).toEqual(["/asked", "/somewhere"]);
    process.env.FIVECROP_DATA = "";
    expect(dataRoot()).toMatch(/fivecrop/);
    if (before === undefined) delete process.env.FIVECROP_DATA;
    else process.env.FIVECROP_DATA = before;
  });
});

describe("the embedded sample", () => {
  test.each([
    ["train", 600],
    ["test", 100],
  ])("%s has %i images of each class", async (split, each) => {
    const dataset = await openDataset({ name: "fashion-mnist-sample", root, split });
    const counts = dataset.classNames.map((_, label) => dataset.labels.filter((one) => one === label).length);
    expect(counts).toEqual(new Array(10).fill(each));
    const { width, height } = await dataset.image(dataset.length - 1);
    expect([height, width]).toEqual([...DATASETS["fashion-mnist-sample"].defaultPreprocess.crop]);
  });

  test.each(["ankle-boot", "sandal", "trouser", "bag", "dress", "sneaker"])("%s.png is in neither of its parts", async (name) => {
    const picture = await readImage(join(SAMPLE_FOLDER, `${name}.png`));
    expect([picture.width, picture.height, picture.channels]).toEqual([28, 28, 1]);
    for (const split of ["train", "test"]) {
      const dataset = await openDataset({ name: "fashion-mnist-sample", root, split });
      for (let i = 0; i < dataset.length; i++) expect(Buffer.compare((await dataset.image(i)).data, picture.data)).not.toBe(0);
    }
  });
});
