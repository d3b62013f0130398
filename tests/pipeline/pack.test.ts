import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FivecropError } from "../../core/errors.ts";
import { createLoader } from "../../pipeline/batches.node.ts";
import { type BatchPlan, batches } from "../../pipeline/batches.ts";
import { type Dataset, splitDataset, subset } from "../../pipeline/dataset.ts";
import { openDataset } from "../../pipeline/datasets/index.ts";
import { sampleGrid } from "../../pipeline/datasets/sample-grid.ts";
import { readImage } from "../../pipeline/decode.node.ts";
import { type Packed, type PackProgress, packPictures } from "../../pipeline/pack.node.ts";
import { type PreprocessSpec, preprocess } from "../../pipeline/preprocess.ts";
import { classes, writeTree } from "./make-pictures.ts";

const spec: PreprocessSpec = { resize: 16, filter: "bilinear", crop: [16, 16], channels: 3, mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] };

let root: string;
let cache: string;
let pictures: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fivecrop-pack-"));
  [cache, pictures] = [join(root, "cache"), join(root, "pictures")];
});
afterEach(() => rm(root, { recursive: true, force: true }));

const withFile = (dataset: Dataset) => dataset as Dataset & { readonly file: (index: number) => string };
const open = async () => withFile(await openDataset({ name: `folder:${pictures}`, root: "unused", split: "all" }));

async function pack(dataset: Dataset, preprocessing: PreprocessSpec = spec, signal?: AbortSignal) {
  const progress: PackProgress[] = [];
  const packing = packPictures(withFile(dataset), preprocessing, { cache, signal, workers: 2 });
  for (;;) {
    const { done, value } = await packing.next();
    if (done) return { packed: value as Packed | undefined, progress };
    progress.push(value as PackProgress);
  }
}
const folders = () => readdir(cache);

describe("decoded pictures", () => {
  test.each<[string, Partial<PreprocessSpec>]>([
    ["the shorter side", {}],
    ["the shorter side, then a smaller crop", { resize: 20, filter: "bicubic" }],
    ["enlarged", { resize: 41, crop: [37, 35] }],
    ["an exact size", { resize: [12, 18] }],
    ["no resize", { resize: null, crop: [24, 24] }],
    ["gray", { channels: 1, mean: [0.5], std: [0.5] }],
    ["the nearest pixel", { resize: 13, filter: "nearest", crop: [13, 13] }],
  ])("%s: preprocessing what is kept is preprocessing the file, to the last bit", async (_, changed) => {
    const changedSpec = { ...spec, ...changed };
    await writeTree(pictures, {
      ...classes(["a", "b"], 5),
      "a/wide.jpg": { width: 97, height: 31, seed: 1 },
      "a/high.png": { width: 23, height: 71, seed: 2 },
      "b/thin.png": { width: 5, height: 601, seed: 3 },
      "b/gray.png": { width: 33, height: 40, channels: 1 },
      "b/one.png": { width: 1, height: 1 },
    });
    const dataset = await open();
    const { packed } = await pack(dataset, changedSpec);
    expect(packed?.dataset.length).toBe(15);
    expect([...packed!.dataset.labels]).toEqual([...dataset.labels]);
    for (let i = 0; i < 15; i++) {
      const kept = preprocess(await packed!.dataset.image(i), changedSpec);
      expect(kept).toEqual(preprocess(await readImage(dataset.file(i)), changedSpec));
    }
  });

  test("are decoded once, and again where a file, its times, the resize or the classes change", async () => {
    await writeTree(pictures, classes(["a", "b"], 3));
    const first = await pack(await open());
    expect(first.progress.at(-1)).toMatchObject({ done: 6, total: 6 });
    expect(first.progress.at(-1)!.imagesPerSecond).toBeGreaterThan(0);
    expect((await pack(await open())).progress).toEqual([]);
    expect(await folders()).toHaveLength(1);
    await utimes(join(pictures, "a", "000.jpg"), 1, 1);
    expect((await pack(await open())).progress.at(-1)?.done).toBe(6);
    await pack(await open(), { ...spec, mean: [0, 0, 0], crop: [8, 8] }); // of what comes after the resize nothing is kept
    expect(await folders()).toHaveLength(2);
    await pack(await open(), { ...spec, resize: 17 });
    await writeTree(pictures, { "b/more.jpg": { seed: 77 } });
    expect((await pack(await open())).packed?.dataset.length).toBe(7);
    expect(await folders()).toHaveLength(4);
  });

  test("bad files are left out with their reasons, and counted; a class of bad files only is an error", async () => {
    await writeTree(pictures, {
      ...classes(["a", "b"], 70),
      "a/bad.jpg": "no picture",
      "b/empty.png": "",
      "b/cut.jpg": (await jpeg()).subarray(0, 300),
    });
    const dataset = await open();
    for (let i = 0; i < 2; i++) {
      const { packed } = await pack(dataset);
      expect(packed?.dataset.length).toBe(140);
      expect(packed?.unreadable.map(({ file }) => file)).toEqual(
        ["a/bad.jpg", "b/cut.jpg", "b/empty.png"].map((name) => join(pictures, name)),
      );
      expect(packed?.unreadable[0].message).toContain(`${join(pictures, "a/bad.jpg")}: cannot be read as a picture`);
      const good = Array.from(dataset.labels, (_, k) => k).filter((k) => !/bad|cut|empty/.test(dataset.file(k)));
      for (const place of [0, 63, 64, 69, 70, 139])
        expect(preprocess(await packed!.dataset.image(place), spec)).toEqual(preprocess(await readImage(dataset.file(good[place])), spec));
    }
    await writeTree(pictures, { "c/1.jpg": "x", "c/2.jpg": "y" });
    await expect(pack(await open())).rejects.toThrow("none of the 2 pictures of class 'c' can be read");
  });

  test("what fails for another reason than the picture is an error, and nothing is kept of it", async () => {
    await writeTree(pictures, classes(["a", "b"], 2));
    await expect(pack(await open(), { ...spec, resize: [0, 12] })).rejects.toThrow(/^image: expected a width and a height/);
    for (const folder of await folders()) expect(await readdir(join(cache, folder))).toEqual([]);
    const broken: Dataset = {
      ...(await open()),
      image: () => {
        throw new FivecropError("resize: its kernel cannot be started");
      },
    };
    await expect(sampleGrid(broken, { count: 2, seed: 0 })).rejects.toThrow(/^resize: its kernel cannot be started$/);
  });

  test("a loader's worker reads them, whole and split, as this thread does", async () => {
    await writeTree(pictures, { ...classes(["a", "b"], 20), "b/bad.jpg": "x" });
    const { packed } = await pack(await open());
    const { training } = splitDataset(packed!.dataset, 0.25, 0);
    expect(training.description).toMatchObject({ packed: expect.stringContaining(cache) });
    const plan: BatchPlan = {
      batchSize: 7,
      seed: 1,
      epoch: 0,
      shuffle: true,
      preprocess: spec,
      augmentations: [{ kind: "flip" }],
      labelSmoothing: 0,
      firstBatch: 0,
    };
    const loader = createLoader(training);
    const all = async (source: AsyncIterable<{ images: { data: Float32Array }; labels: Uint16Array }>) => {
      const list: unknown[] = [];
      for await (const { images, labels } of source) list.push([images.data.slice(), labels.slice()]);
      return list;
    };
    expect(await all(loader.batches(plan))).toEqual(await all(batches(training, plan)));
    await loader.dispose();
    expect((await openDataset(subset(training, [3]).description!)).length).toBe(1);
  });

  test("stopped, they are gone on with", async () => {
    await writeTree(pictures, classes(["a", "b"], 120));
    const controller = new AbortController();
    const packing = packPictures(await open(), spec, { cache, signal: controller.signal, workers: 1 });
    const first = await packing.next();
    controller.abort();
    let step = first;
    while (!step.done) step = await packing.next();
    const [folder] = await folders();
    const left = await readdir(join(cache, folder));
    expect(left.filter((name) => name.endsWith(".tmp"))).toEqual([]);
    if (step.value === undefined) expect(left).not.toContain("index.json");
    expect((await pack(await open())).packed?.dataset.length).toBe(240);
  });

  test("files of pixels that are cut short, foreign or missing are made again; gone ones are told of", async () => {
    await writeTree(pictures, classes(["a", "b"], 100));
    const { packed } = await pack(await open());
    const [folder] = await folders();
    const at = (name: string) => join(cache, folder, name);
    const before = await Promise.all(["0.pixels", "1.pixels", "2.pixels", "3.pixels"].map((name) => readFile(at(name))));
    await rm(at("index.json"));
    await truncate(at("0.pixels"), 1000);
    await writeFile(at("1.pixels"), "something else");
    await rm(at("2.pixels"));
    const again = await pack(await open());
    expect(again.progress.at(-1)?.done).toBe(200);
    expect(await Promise.all(["0.pixels", "1.pixels", "2.pixels", "3.pixels"].map((name) => readFile(at(name))))).toEqual(before);
    await rm(at("2.pixels"));
    expect(() => packed!.dataset.image(130)).toThrow("there is no such file or folder. To fix: delete its folder and start again");
    await expect(openDataset(packed!.dataset.description!)).rejects.toThrow("are gone or not complete");
    expect((await pack(await open())).packed?.dataset.length).toBe(200);
  });

  const DIST = resolve(import.meta.dirname, "../../dist");
  const script = () => `
    import { openDataset } from ${JSON.stringify(`${DIST}/pipeline/datasets/index.js`)};
    import { packPictures } from ${JSON.stringify(`${DIST}/pipeline/pack.node.js`)};
    const dataset = await openDataset({ name: ${JSON.stringify(`folder:${pictures}`)}, root: "unused", split: "all" });
    const packing = packPictures(dataset, ${JSON.stringify(spec)}, { cache: ${JSON.stringify(cache)}, workers: 1 });
    let step;
    do { step = await packing.next(); if (!step.done) console.log(step.value.done); } while (!step.done);
    console.log("length", step.value.dataset.length);`;
  const child = (): ChildProcess =>
    spawn(process.execPath, ["--input-type=module", "--eval", script()], { stdio: ["ignore", "pipe", "inherit"] });

  test("two processes at once make the same", async () => {
    await writeTree(pictures, { ...classes(["a", "b"], 100), "a/bad.jpg": "x" });
    const run = () => promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script()]);
    const both = await Promise.all([run(), run()]);
    for (const { stdout } of both) expect(stdout).toMatch(/length 200\n$/);
    const [folder] = await folders();
    expect((await readdir(join(cache, folder))).sort()).toEqual(["0.pixels", "1.pixels", "2.pixels", "3.pixels", "index.json"]);
    const dataset = await open();
    const { packed, progress } = await pack(dataset);
    expect(progress).toEqual([]);
    expect(preprocess(await packed!.dataset.image(199), spec)).toEqual(preprocess(await readImage(dataset.file(200)), spec));
  });

  test("killed in the midst, they are gone on with", async () => {
    await writeTree(pictures, classes(["a", "b"], 250));
    const killed = child();
    const ended = new Promise<NodeJS.Signals | null>((done) => killed.on("exit", (_, signal) => done(signal)));
    const chunks = async () => {
      const found = await folders().catch(() => [] as string[]);
      return found.length ? (await readdir(join(cache, found[0]))).filter((name) => name.endsWith(".pixels")).length : 0;
    };
    while ((await chunks()) < 2) await new Promise((wait) => setTimeout(wait, 5));
    killed.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL");
    const [folder] = await folders();
    expect(existsSync(join(cache, folder, "index.json"))).toBe(false);
    const dataset = await open();
    const { packed } = await pack(dataset);
    expect(packed?.dataset.length).toBe(500);
    for (const i of [0, 250, 499])
      expect(preprocess(await packed!.dataset.image(i), spec)).toEqual(preprocess(await readImage(dataset.file(i)), spec));
  });
});

const jpeg = async (): Promise<Buffer> => (await import("./make-pictures.ts")).pictureBytes("x.jpg", { width: 60, height: 60 });
