import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { model, withMetadata } from "../inference/models.ts";
import { fivecrop, picture, temporaryFolder } from "./run.ts";

const FOLDER = "it is a folder, where a file is expected";
const THROUGH_FILE = "a part of its path is a file, where a folder is expected";
const NOTHING = "there is no such file or folder";
const TRAIN = ["train", "--model", "fashion-cnn", "--data", "fashion-mnist-sample", "--batch-size", "600", "--out"];
const INFER = ["infer", picture("bag")];
const ADOPT = ["adopt", "m.onnx", "--out"];

/** Each place where a command takes a path, with a path of the wrong kind → what the message says. */
const CASES: readonly (readonly [args: readonly string[], ...says: readonly string[]])[] = [
  [[...TRAIN, "file"], "--out: cannot make the directory file: file is a file", "choose a place that can be written"],
  [[...TRAIN, "file/run"], `cannot make the directory file/run: ${THROUGH_FILE}`],
  [["quickstart", "--out", "file"], "--out: cannot make the directory file"],
  [["train", "--resume", "file"], `file holds no run: cannot read file/run.json: ${THROUGH_FILE}`, "name the --out of a run"],
  [["train", "--resume", "nowhere"], `cannot read nowhere/run.json: ${NOTHING}`],
  [["train", "--resume", "odd"], `cannot read odd/run.json: ${FOLDER}`],
  [["train", "--resume", "cut"], `cut/run.json: expected a run's options as JSON, found "{\\"config\\""`],
  [["train", "--resume", "empty"], `empty/run.json: expected a run's options in "config", found no "model"`],
  [["export", "file"], `cannot read file/run.json: ${THROUGH_FILE}`],
  [["infer", "file/photo.png"], `file/photo.png: ${THROUGH_FILE}`, "Expected a picture file"],
  [["infer", "folder"], "folder: expected a folder of JPEG, PNG, WebP, AVIF, GIF or TIFF files, found none in it"],
  [[...INFER, "--model", "folder"], `cannot read the model folder: ${FOLDER}`, "name an ONNX file"],
  [[...INFER, "--model", "m.onnx", "--save-views", "file"], "--save-views: cannot make the directory file", "can be written"],
  [[...INFER, "--model", "m.onnx", "--labels", "folder"], `--labels: cannot read folder: ${FOLDER}`, "a name a line"],
  [[...INFER, "--model", "m.onnx", "--preprocess", "nowhere"], `--preprocess: cannot read nowhere: ${NOTHING}`, "JSON that starts with {"],
  [["evaluate", "folder"], `cannot read the model folder: ${FOLDER}`],
  [["inspect", "file/m.onnx"], `cannot read the model file/m.onnx: ${THROUGH_FILE}`],
  [["verify", "folder"], `cannot read the model folder: ${FOLDER}`],
  [["adopt", "folder", "--out", "new.onnx"], `cannot read the model folder: ${FOLDER}`],
  [[...ADOPT, "file/new.onnx"], `cannot write file/new.onnx: ${THROUGH_FILE}`, "choose a place that can be written"],
  [[...ADOPT, "folder"], `cannot write folder: ${FOLDER}`],
  [["export", "m.onnx", "--self-contained", "--samples", "folder", "--out", "new.onnx"], `--samples: cannot read folder: ${FOLDER}`],
  [["demo", "--model", "folder"], `cannot read the model folder: ${FOLDER}`],
  [["demo", "--build", "file/page"], "--build: cannot make the directory file/page", THROUGH_FILE],
];

let cwd: string;
beforeAll(async () => {
  cwd = await temporaryFolder();
  for (const folder of ["folder", "odd/run.json", "cut", "empty"]) await mkdir(join(cwd, folder), { recursive: true });
  await writeFile(join(cwd, "file"), "text");
  await writeFile(join(cwd, "cut", "run.json"), '{"config"');
  await writeFile(join(cwd, "empty", "run.json"), "null");
  await writeFile(join(cwd, "m.onnx"), withMetadata(model()));
});

describe.concurrent("a path of the wrong kind", () => {
  test.each(CASES.map(([args, ...says]) => ({ args, says })))("$args", async ({ args, says }) => {
    const { code, stderr } = await fivecrop(args, { cwd });
    expect(stderr).toMatch(/^fivecrop: [^\n]+\n$/);
    expect(stderr).not.toMatch(/\bE[A-Z]{4,}\b/);
    for (const said of says) expect(stderr).toContain(said);
    expect(code).toBe(1);
  });
});

test("and nothing was written", async () => {
  expect((await readdir(cwd)).sort()).toEqual(["cut", "empty", "file", "folder", "m.onnx", "odd"]);
});

const isRoot = process.getuid?.() === 0;
if (isRoot) console.log("skipped: files without permission (the superuser may read and write all of them)");
test.skipIf(isRoot)("without permission", async () => {
  const shut = join(cwd, "folder", "shut");
  await writeFile(shut, "");
  await chmod(shut, 0);
  for (const args of [
    ["inspect", shut],
    ["infer", shut],
    [...INFER, "--labels", shut],
  ]) {
    const { code, stderr } = await fivecrop(args, { cwd });
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^fivecrop: [^\n]*shut: no permission[^\n]+\n$/)]);
  }
});
