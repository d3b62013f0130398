import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { readMetadata } from "../../export/metadata.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { fileCheckpoints, loadSummary } from "../../training/checkpoint.node.ts";
import type { Weights } from "../../training/engine.ts";
import { exportRun } from "../../training/export-run.node.ts";
import { calibrateRun } from "../../training/report/calibrate-run.node.ts";
import { normLayers, normsSection } from "../../training/report/norms.ts";
import { reportRun } from "../../training/report/report-run.node.ts";
import { type RunOptions, run } from "../../training/run.node.ts";
import { DEFAULTS, type RunConfig } from "../../training/run-config.ts";
import { temporaryFolder } from "../cli/run.ts";
import { classes, under, writeTree } from "../pipeline/make-pictures.ts";

let folder: string;
let out: string;
let config: RunConfig;
const cache = (): string => join(folder, "cache");

async function toEnd<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}
const train = (more: Partial<RunOptions> = {}) => toEnd(run(config, { out, dataRoot: folder, report: false, ...more }));
const best = { checkpoint: "best", format: "onnx" } as const;

beforeEach(async () => {
  folder = await temporaryFolder();
  for (const name of ["XDG_CACHE_HOME", "LOCALAPPDATA"]) vi.stubEnv(name, cache());
  await writeTree(join(folder, "photos"), {
    ...under("train", classes(["a", "b", "c"], 6)),
    ...under("test", classes(["a", "b", "c"], 2)),
  });
  out = join(folder, "run");
  const data = `folder:${join(folder, "photos")}`;
  config = { ...DEFAULTS, model: "fashion-cnn", data, epochs: 1, batchSize: 7, ema: 0.5 };
});

/** Everything that goes on with a run. */
const continuing = () =>
  [
    ["resume", () => train({ resume: true })],
    ["report", () => toEnd(reportRun(out, { dataRoot: folder }))],
    ["calibrate", () => toEnd(calibrateRun(out, { dataRoot: folder }))],
    ["export", () => toEnd(exportRun(out, { ...best, dataRoot: folder }))],
  ] as const;

test("other classes or other images than the run's own are refused, and nothing is written", async () => {
  await train();
  const left = await readFile(join(out, "model.onnx"));
  expect(readMetadata(left)?.labels).toEqual(["a", "b", "c"]);
  const photos = join(folder, "photos/train");
  await rename(join(photos, "b"), join(photos, "z"));
  for (const [name, goOn] of continuing())
    await expect(goOn(), name).rejects.toThrow(
      "is no longer the data that the run was trained on: classes: 'b' missing, 'z' added. To fix:",
    );
  await rename(join(photos, "z"), join(photos, "b"));
  await writeTree(photos, { "a/more.jpg": {} });
  for (const [name, goOn] of continuing()) await expect(goOn(), name).rejects.toThrow("images to train on: expected 14, found 15.");
  await writeTree(photos, { "b/more.jpg": {}, "c/more.jpg": {} });
  await rm(join(photos, "c/000.jpg"));
  for (const [name, goOn] of continuing()) await expect(goOn(), name).rejects.toThrow("expected 14, found 16");
  expect(Buffer.compare(left, await readFile(join(out, "model.onnx")))).toBe(0);
  expect(await readdir(out)).not.toContain("report.html");
});

test("a run in use by another process is left alone; a copy elsewhere can be exported", async () => {
  await train();
  await writeFile(join(out, "run.lock"), `${process.ppid}\n`);
  for (const [name, goOn] of continuing()) await expect(goOn(), name).rejects.toThrow(`is in use by process ${process.ppid}`);
  const [exported] = await toEnd(exportRun(out, { ...best, out: join(folder, "copy.onnx"), dataRoot: folder }));
  expect(exported).toMatchObject({ kind: "exported", epoch: 1 });
});

test("where the decoded pictures are gone they are decoded in sight, and a signal ends it", async () => {
  await train();
  for (const goOn of [
    (signal?: AbortSignal) => reportRun(out, { dataRoot: folder, signal }),
    (signal?: AbortSignal) => calibrateRun(out, { dataRoot: folder, signal }),
    (signal?: AbortSignal) => exportRun(out, { ...best, dataRoot: folder, signal }),
  ]) {
    await rm(cache(), { recursive: true });
    const stopped = await toEnd<{ readonly kind: string }>(goOn(AbortSignal.abort()));
    expect(stopped.filter(({ kind }) => kind !== "decoding")).toEqual([]);
    await rm(cache(), { recursive: true, force: true });
    const events = goOn();
    expect((await events.next()).value).toMatchObject({ kind: "decoding", split: "train" });
    await events.return();
  }
  expect(await readdir(out)).not.toContain("run.lock");
});

test("the report's norm layers are of the averaged weights, which it measures", async () => {
  await train({ report: true });
  const checkpoint = (await fileCheckpoints(out).load("best"))!;
  const { average, parameters } = checkpoint.training;
  const page = await readFile(join(out, "report.html"), "utf8");
  const { graph } = createNetwork("fashion-cnn", { classes: 3 });
  const shown = (weights: Weights) => normsSection(normLayers(graph, weights)).markup;
  expect(page.includes(shown(average!))).toBe(true);
  expect(page.includes(shown(parameters))).toBe(false);
});

test("a checkpoint's summary is what the whole of it says, and finds the same faults", async () => {
  await train();
  const { training, ...rest } = (await fileCheckpoints(out).load("last"))!;
  const parameters = Object.values(training.parameters).reduce((sum, { data }) => sum + data.length, 0);
  expect(await loadSummary(out, "last")).toEqual({ ...rest, parameters });
  expect(await loadSummary(out, "none")).toBeUndefined();
  const file = join(out, "last.safetensors");
  const bytes = await readFile(file);
  for (const length of [0, 5, 100, bytes.length - 1]) {
    await writeFile(file, bytes.subarray(0, length));
    const said = await fileCheckpoints(out)
      .load("last")
      .catch((error: Error) => error.message);
    expect(said).toMatch(/last\.safetensors is no checkpoint: /);
    await expect(loadSummary(out, "last")).rejects.toThrow(String(said));
  }
});

describe("a picture of the test split that cannot be read", () => {
  beforeEach(() => writeTree(join(folder, "photos/test"), { "a/bad.jpg": "no picture" }));

  test("is named by the report, which counts it nowhere", async () => {
    const events = await train({ report: true });
    const message = expect.stringContaining("bad.jpg");
    expect(events).toContainEqual({ kind: "left out", split: "test", images: 7, unreadable: [{ file: message, message }] });
    expect(events.at(-1)).toMatchObject({ kind: "reported", split: "test", images: 6, of: 7, unreadable: 1 });
    const page = await readFile(join(out, "report.html"), "utf8");
    expect(page).toContain("6 images of the test split, without 1 that cannot be read");
    expect(page).toMatch(/1 picture of the test split cannot be read, and counts nowhere:.*bad\.jpg/s);
    expect(page).not.toContain("drawn from");
  });

  test("is an error with strict", async () => {
    const says = /1 picture of test cannot be read, and --strict was said: .*bad\.jpg/;
    await expect(train({ report: true, strict: true })).rejects.toThrow(says);
    expect(existsSync(join(out, "run.json")), "before anything is trained").toBe(false);
    await train();
    await expect(toEnd(reportRun(out, { dataRoot: folder, strict: true }))).rejects.toThrow(says);
    expect(await readdir(out)).not.toContain("report.html");
  });
});

describe("the run's directory", () => {
  test("is refused before anything is decoded where it cannot be made", async () => {
    await writeFile(join(folder, "file"), "");
    out = join(folder, "file/run");
    await expect(train()).rejects.toThrow("--out: cannot make the directory");
    expect(existsSync(cache())).toBe(false);
  });

  test("is not left behind where an option is wrong", async () => {
    out = join(folder, "runs/one");
    config = { ...config, batchSize: 100 };
    await expect(train()).rejects.toThrow("batch size: expected at most the 14 images");
    expect(await readdir(folder)).not.toContain("runs");
  });

  test("an overwritten run leaves none of its exports", async () => {
    await train();
    for (const name of ["model-last.onnx", "model-self-contained.onnx", "model-last-self-contained.onnx", "model.safetensors"])
      await writeFile(join(out, name), "of the run before");
    await train({ overwrite: true });
    expect((await readdir(out)).filter((name) => name.startsWith("model"))).toEqual(["model.onnx"]);
  });
});
