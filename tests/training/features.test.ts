import { readdir, readFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serialize } from "../../export/serialize.ts";
import { flatten } from "../../models/layers/activations.ts";
import { adaptiveAveragePool2d } from "../../models/layers/pool.ts";
import { sequential } from "../../models/layers/sequential.ts";
import { network } from "../../models/network.ts";
import { bounded, inMemory } from "../../pipeline/dataset.ts";
import { openDataset } from "../../pipeline/datasets/index.ts";
import { createImage } from "../../pipeline/image.ts";
import { computeFeatures, type FeatureOptions, type FeatureProgress, type FeatureSource } from "../../training/features/compute.node.ts";
import { featureLoader } from "../../training/features/feature-loader.ts";
import { temporaryFolder } from "../cli/run.ts";

const WIDTH = 3;
/** Features that are the mean colour of what is seen. */
const backbone = serialize(network("means", sequential({ pool: adaptiveAveragePool2d(1), flatten }), { input: [3, 8, 8] }).graph);
const preprocess = { resize: 12, filter: "bilinear", crop: [8, 8], channels: 3, mean: [0, 0, 0], std: [1, 1, 1] } as const;

/** So many pictures of 12 × 12, each a slope of a colour of its own. */
const dataset = (length: number) =>
  inMemory({
    name: "slopes",
    classNames: ["a", "b"],
    images: Array.from({ length }, (_, i) =>
      createImage(
        12,
        12,
        3,
        Uint8Array.from({ length: 432 }, (_, k) => (k * (i + 1)) % 256),
      ),
    ),
    labels: Array.from({ length }, (_, i) => i % 2),
  });

const source = (length: number, views: number, seed = 0): FeatureSource => ({
  dataset: dataset(length),
  split: "training",
  views,
  plan: { seed, preprocess, augmentations: [{ kind: "random-crop", padding: 0 }, { kind: "flip" }] },
});

async function compute(from: FeatureSource, options: Pick<FeatureOptions, "cache"> & Partial<FeatureOptions>) {
  const progress: FeatureProgress[] = [];
  const computing = computeFeatures(from, { backbone, width: WIDTH, threads: 1, ...options });
  let step = await computing.next();
  for (; !step.done; step = await computing.next()) progress.push(step.value);
  return { features: step.value, progress };
}

test("features of plain views are the backbone's of each image, in order", async () => {
  const plain = { ...source(20, 1), plan: { seed: 0, preprocess, augmentations: [] } };
  const { features, progress } = await compute(plain, { cache: await temporaryFolder() });
  expect(progress.at(-1)).toMatchObject({ done: 20, total: 20 });
  for (const i of [0, 7, 8, 19]) {
    const { data } = await plain.dataset.image(i);
    for (let c = 0; c < 3; c++) {
      let sum = 0;
      for (let y = 2; y < 10; y++) for (let x = 2; x < 10; x++) sum += data[(y * 12 + x) * 3 + c] / 255;
      expect(features![i * WIDTH + c]).toBeCloseTo(sum / 64, 5);
    }
  }
});

test("views of an image differ, and depend on the seed alone", async () => {
  const [one, same, other] = await Promise.all(
    [0, 0, 1].map(async (seed) => (await compute(source(10, 3, seed), { cache: await temporaryFolder() })).features!),
  );
  expect(same).toEqual(one);
  expect(other).not.toEqual(one);
  const views = [0, 1, 2].map((v) => one.slice(v * 10 * WIDTH, (v + 1) * 10 * WIDTH));
  expect(new Set(views.map(String)).size).toBe(3);
});

test("computed once; stopped, it goes on; a file that was cut off is computed anew", async () => {
  const cache = await temporaryFolder();
  const from = source(300, 2);
  const stop = new AbortController();
  let asked = 0;
  const image = (i: number) => {
    if (++asked === 300 + 290) stop.abort(); // all pixels are hashed first
    return from.dataset.image(i);
  };
  const cut = await compute({ ...from, dataset: { ...from.dataset, image } }, { cache, signal: stop.signal });
  expect(cut.features).toBeUndefined();
  expect(cut.progress.at(-1)?.done, "what was cut off was at its second file").toBeGreaterThanOrEqual(256);
  const before = asked;
  const whole = await compute({ ...from, dataset: { ...from.dataset, image } }, { cache });
  expect(asked - before, "the hash of all pixels, and what was missing").toBe(300 + 600 - 256);
  expect(whole.progress.at(-1)).toMatchObject({ done: 600, total: 600 });
  expect(whole.features).toEqual((await compute(from, { cache: await temporaryFolder() })).features);
  const again = await compute(from, { cache });
  expect([again.progress, again.features]).toEqual([[], whole.features]);

  const [folder] = await readdir(cache);
  const file = join(cache, folder, "1-1.features");
  const bytes = await readFile(file);
  await truncate(file, bytes.length - 4);
  const mended = await compute(from, { cache });
  expect(mended.features).toEqual(whole.features);
  expect((await stat(file)).size).toBe(bytes.length);
});

test("in threads, where images have a description: the same features, whatever the threads", async () => {
  const whole = await openDataset({ name: "fashion-mnist-sample", root: "", split: "test" });
  const described = bounded(whole, 600);
  const plan = { seed: 3, preprocess, augmentations: [{ kind: "random-crop" as const, padding: 2 }, { kind: "flip" as const }] };
  const from: FeatureSource = { dataset: described, split: "training", views: 2, plan };
  const here = await compute({ ...from, dataset: { ...described, description: undefined } }, { cache: await temporaryFolder() });
  const cache = await temporaryFolder();
  const stop = new AbortController();
  const stopped = compute(from, { cache, threads: 2, signal: stop.signal });
  stop.abort();
  expect((await stopped).features).toBeUndefined();
  for (const threads of [1, 3]) {
    const { features, progress } = await compute(from, { cache: await temporaryFolder(), threads });
    expect(features).toEqual(here.features);
    expect(progress.at(-1)).toMatchObject({ done: 1200, total: 1200 });
  }
  await expect(compute(from, { cache, threads: 2, backbone: new Uint8Array([1, 2, 3]) })).rejects.toThrow(
    "the backbone: ONNX Runtime cannot",
  );
});

test("other pictures, views, seeds and backbones have folders of their own", async () => {
  const cache = await temporaryFolder();
  await compute(source(10, 1), { cache });
  await compute(source(11, 1), { cache });
  await compute(source(10, 2), { cache });
  await compute(source(10, 1, 1), { cache });
  await compute(source(10, 1), {
    cache,
    backbone: serialize(network("others", sequential({ pool: adaptiveAveragePool2d(1), flat: flatten }), { input: [3, 8, 8] }).graph),
  });
  expect(await readdir(cache)).toHaveLength(5);
});

test("more features than memory should hold are refused before any is computed", async () => {
  const computing = compute(source(10, 1), { cache: await temporaryFolder(), width: 2e8 });
  await expect(computing).rejects.toThrow(/slopes: the features of 10 images in 1 views take 8\.0 GB: expected at most 4\.0 GB/);
});

test("the loader gives each view of each image with its class, in the epoch's order", async () => {
  const data = dataset(5);
  const features = Float32Array.from({ length: 2 * 5 * WIDTH }, (_, k) => k);
  const loader = featureLoader(data, features, WIDTH);
  const plan = { batchSize: 4, seed: 3, epoch: 1, shuffle: true, preprocess, augmentations: [], labelSmoothing: 0.2, firstBatch: 0 };
  const seen: number[] = [];
  for await (const { images, targets, labels, indices } of loader.batches(plan)) {
    expect(images.shape).toEqual([indices.length, WIDTH, 1, 1]);
    indices.forEach((row, i) => {
      expect(Array.from(images.data.slice(i * WIDTH, (i + 1) * WIDTH))).toEqual([0, 1, 2].map((k) => row * WIDTH + k));
      expect(labels[i]).toBe((row % 5) % 2);
      expect(targets.data[2 * i + labels[i]]).toBeCloseTo(0.9);
      expect(targets.data[2 * i + 1 - labels[i]]).toBeCloseTo(0.1);
    });
    seen.push(...indices);
  }
  expect(seen).not.toEqual(seen.toSorted((a, b) => a - b));
  expect(seen.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const rest: number[] = [];
  for await (const { indices } of loader.batches({ ...plan, firstBatch: 2 })) rest.push(...indices);
  expect(rest).toEqual(seen.slice(8));
});
