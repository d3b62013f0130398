import { existsSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { readMetadata } from "../../export/metadata.ts";
import { adopt } from "../../inference/adopt.ts";
import { loadClassifier } from "../../inference/classifier.node.ts";
import { fileCheckpoints } from "../../training/checkpoint.node.ts";
import { comparisonLines } from "../../training/report/compare.ts";
import { compareDirectories } from "../../training/report/compare-runs.node.ts";
import { trainCommandOf } from "../../training/report/rerun.ts";
import { type RunOptions, run } from "../../training/run.node.ts";
import { DEFAULTS, type RunConfig } from "../../training/run-config.ts";
import { readRunConfig } from "../../training/run-files.node.ts";
import { temporaryFolder } from "../cli/run.ts";
import { classes, under, writeTree } from "../pipeline/make-pictures.ts";
import { smallFile } from "./files.ts";

const preprocess = { resize: 10, filter: "bilinear", crop: [8, 8], channels: 3, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const;
let folder: string;
let model: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of ["XDG_CACHE_HOME", "LOCALAPPDATA"]) vi.stubEnv(name, join(folder, "cache"));
  await writeTree(join(folder, "photos"), {
    ...under("train", classes(["a", "b", "c"], 8)),
    ...under("val", classes(["a", "b", "c"], 3)),
  });
  model = join(folder, "small.onnx");
  await writeFile(model, smallFile());
});

const configOf = (more: Partial<RunConfig> = {}): RunConfig => {
  const { validation: _, ...defaults } = DEFAULTS;
  return { ...defaults, model, data: `folder:${join(folder, "photos")}`, epochs: 3, batchSize: 6, preprocess, ...more };
};

async function train(config: RunConfig, out: string, options: Partial<RunOptions> = {}) {
  const events = [];
  for await (const event of run(config, { out, dataRoot: folder, report: false, ...options })) events.push(event);
  return events;
}

const REGIMES = {
  scratch: { freeze: undefined, model: "fashion-cnn", preprocess: undefined },
  top: { freeze: "backbone" },
  all: { freeze: "none", learningRateBackbone: 1e-4 },
} as const;

test("three regimes are one option apart; compare shows them together, and their files say how they were made", {
  timeout: 300_000,
}, async () => {
  for (const [name, more] of Object.entries(REGIMES)) await train(configOf(more), join(folder, name));
  const lines = comparisonLines(await compareDirectories(Object.keys(REGIMES).map((name) => join(folder, name)))).join("\n");
  expect(lines).toMatch(/freeze +– +backbone +none/);
  expect(lines).toMatch(/learningRateBackbone +– +– +0\.0001/);
  expect(lines).toMatch(/\/top +small /);
  expect(lines).not.toContain("modelHash");

  const bytes = new Uint8Array(await readFile(join(folder, "top", "model.onnx")));
  const card = readMetadata(bytes);
  expect(card).toMatchObject({ labels: ["a", "b", "c"], preprocess, architecture: "small", parameters: 108 + 8 + 216 + 6 + 12 + 21 });
  expect(card?.training?.arguments).toMatchObject({ model: "small", freeze: "backbone" });
  expect(JSON.stringify(card)).not.toContain(folder);
  const classifier = await loadClassifier(bytes);
  const answer = await classifier.classify(new Uint8Array(await readFile(join(folder, "photos/val/a/000.jpg"))));
  expect(answer.predictions).toHaveLength(3);
  await classifier.dispose();

  const config = await readRunConfig(join(folder, "all"));
  expect(config.modelHash).toMatch(/^[0-9a-f]{64}$/);
  expect(trainCommandOf(config)).toContain("--freeze none --lr-backbone 0.0001");
  expect(trainCommandOf(config)).not.toContain("hash");
});

test("a run that is stopped goes on to the same end", { timeout: 300_000 }, async () => {
  const config = configOf({ freeze: 1, learningRateBackbone: 1e-4, head: [5], dropout: 0.3 });
  const [straight, stopped] = [join(folder, "straight"), join(folder, "stopped")];
  await train(config, straight);
  const stop = new AbortController();
  for await (const event of run(config, { out: stopped, dataRoot: folder, report: false, signal: stop.signal }))
    if (event.kind === "step" && event.step === 6) stop.abort();
  expect(existsSync(join(stopped, "model.onnx"))).toBe(false);
  await train(await readRunConfig(stopped), stopped, { resume: true });
  const [a, b] = await Promise.all([straight, stopped].map((out) => fileCheckpoints(out).load("last")));
  expect(b?.training).toEqual(a?.training);
});

describe("preprocessing", () => {
  test("of a file that says none, and of whom none is asked for", async () => {
    await expect(train(configOf({ preprocess: undefined }), join(folder, "none"))).rejects.toThrow(
      `${model} does not say how pictures are prepared for it: it carries no fivecrop metadata. To fix: name a preprocessing by --preset imagenet`,
    );
    expect(existsSync(join(folder, "none"))).toBe(false);
  });

  test("a file's own, and its own head for the same classes; a preset, fitted to its size", async () => {
    const labels = ["a", "b", "c", "d"];
    const { model: bytes } = await adopt(smallFile(), createSession, { labels, preprocess });
    const adopted = join(folder, "adopted.onnx");
    await writeFile(adopted, bytes);
    await writeTree(join(folder, "four"), classes(labels, 4));
    const four = { model: adopted, data: `folder:${join(folder, "four")}`, preprocess: undefined, epochs: 1, validation: 4 };
    const events = await train(configOf(four), join(folder, "kept"));
    expect(events).toContainEqual({
      kind: "note",
      split: "adopted",
      note: "it tells these classes apart already: its own head 'y' is trained further",
    });
    expect(readMetadata(new Uint8Array(await readFile(join(folder, "kept", "model.onnx"))))?.preprocess).toEqual(preprocess);
    await train(configOf({ preprocess: undefined, preset: "imagenet", epochs: 1 }), join(folder, "preset"));
    const card = readMetadata(new Uint8Array(await readFile(join(folder, "preset", "model.onnx"))));
    expect(card?.preprocess).toMatchObject({ crop: [8, 8], resize: 9, mean: [0.485, 0.456, 0.406] });
  });
});

describe("what is refused, before anything is written", () => {
  const out = (): string => join(folder, "refused");
  const refused = async (more: Partial<RunConfig>, message: string | RegExp) => {
    await expect(train(configOf(more), out())).rejects.toThrow(message);
    expect(existsSync(out())).toBe(false);
  };

  test("a file that is not there, and one that is no model", async () => {
    await refused({ model: join(folder, "nothing.onnx") }, `cannot read the model ${join(folder, "nothing.onnx")}`);
    const text = join(folder, "text.onnx");
    await writeFile(text, "this is a text, no model");
    await refused({ model: text }, `${text}: no ONNX model`);
  });

  test("more layers to train than there are, and rates that nothing takes", async () => {
    await refused(
      { freeze: 9 },
      "freeze: 'small' has 2 layers with weights below its head: expected at most 2 of them to train, received 9.",
    );
    await refused(
      { freeze: "backbone", learningRateBackbone: 1e-4 },
      "--lr-backbone: with --freeze backbone nothing below the head is trained.",
    );
    await refused({ model: "fashion-cnn", preprocess: undefined, freeze: 1 }, "--freeze: the weights of 'fashion-cnn' are drawn at random");
    await refused({ initialization: "pytorch" }, `--initialization: the weights of ${model} are there already.`);
    await refused({ model: "fashion-cnn", preprocess: undefined, features: "c1" }, "--features: it belongs to an ONNX file as --model");
  });

  test("another size than the file takes", async () => {
    await refused(
      { preprocess: { ...preprocess, crop: [9, 9] } },
      "the network takes images of [C, H, W] = [3,8,8], and the preprocessing makes them [3,9,9].",
    );
  });

  test("a run does not go on with another file than it began with", async () => {
    const copy = join(folder, "copy.onnx");
    await copyFile(model, copy);
    const begun = join(folder, "begun");
    await train(configOf({ model: copy, epochs: 1 }), begun);
    await writeFile(copy, smallFile({ batch: 1 }));
    await expect(train(await readRunConfig(begun), begun, { resume: true })).rejects.toThrow(
      new RegExp(`^${copy} is no longer the file that the run began with: expected SHA-256 [0-9a-f]{64}, found [0-9a-f]{64}\\. To fix:`),
    );
  });
});

test("a file for one picture at a time trains with any number, after it was compared", { timeout: 120_000 }, async () => {
  const one = join(folder, "one.onnx");
  await writeFile(one, smallFile({ batch: 1 }));
  const events = await train(configOf({ model: one, epochs: 1 }), join(folder, "one"));
  expect(events).toContainEqual({
    kind: "note",
    split: "one",
    note: "it was for 1 at a time, and is for any number now: compared on random images",
  });
});
