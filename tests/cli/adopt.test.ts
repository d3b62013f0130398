import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readMetadata } from "../../export/metadata.ts";
import { LABELS, model, withMetadata } from "../inference/models.ts";
import { needPhotos, photo, shared } from "../inference/photos.ts";
import { fivecrop, jsonLines, picture, temporaryFolder } from "./run.ts";

const SPEC = { resize: [8, 8], filter: "bilinear", crop: [8, 8], channels: 1, mean: [0.5], std: [0.25] };

/** A folder with a foreign model, its labels and its preprocessing as files. */
async function foreignFolder(bytes = model()): Promise<string> {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "m.onnx"), bytes);
  await writeFile(join(cwd, "labels.txt"), LABELS.join("\n"));
  await writeFile(join(cwd, "preprocess.json"), JSON.stringify(SPEC));
  return cwd;
}

describe.concurrent("adopt", () => {
  const SAID = ["--labels", "labels.txt", "--preprocess", "preprocess.json"];

  test("a copy that infer needs no options for", async () => {
    const cwd = await foreignFolder(model("N", "Softmax"));
    const { code, stdout, stderr } = await fivecrop(["adopt", "m.onnx", ...SAID, "--tta", "flip", "--out", "n.onnx"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^n\.onnx: \d+ kB, 4 labels, output probabilities, views flip\n$/);
    const [foreign, copy] = await Promise.all(["m.onnx", "n.onnx"].map((name) => readFile(join(cwd, name))));
    expect(copy.subarray(0, foreign.length).equals(foreign)).toBe(true);
    const ask = async (...args: readonly string[]) =>
      jsonLines((await fivecrop(["infer", picture("bag"), "--json", ...args], { cwd })).stdout)[0].predictions;
    expect(await ask("--model", "n.onnx")).toEqual(await ask("--model", "m.onnx", ...SAID, "--tta", "flip"));
  });

  test("--json says what it wrote; --output where the last node cannot tell", async () => {
    const cwd = await foreignFolder(model("N", "LogSoftmax", "Exp"));
    const args = ["adopt", "m.onnx", ...SAID, "--output", "probabilities", "--out", "m.onnx", "--json"];
    const [{ out, bytes, metadata }] = jsonLines((await fivecrop(args, { cwd })).stdout);
    const written = await readFile(join(cwd, "m.onnx"));
    const { samples, ...rest } = readMetadata(written)!;
    expect({ out, bytes, metadata }).toEqual({ out: "m.onnx", bytes: written.length, metadata: rest });
    expect(samples?.samples).toHaveLength(3);
    expect(metadata).toMatchObject({ labels: LABELS, preprocess: SPEC, outputKind: "probabilities" });
  });

  test.each<[string, readonly string[], number, string]>([
    ["no labels", ["--preprocess", "preprocess.json"], 2, "m.onnx carries no fivecrop metadata. To fix: give the options labels"],
    ["a preset of another size", ["--labels", "labels.txt", "--preset", "imagenet"], 1, "m.onnx: its input 'images' takes float32"],
    ["logits for probabilities", [...SAID, "--output", "probabilities"], 2, "whose sum over the classes is 1; found 0"],
    ["labels that are not there", ["--labels", "no.txt", "--preprocess", "preprocess.json"], 1, "--labels: cannot read no.txt"],
    [
      "malformed labels",
      ["--labels", "preprocess.json", "--preprocess", "preprocess.json"],
      2,
      "--labels: preprocess.json: expected a name a line",
    ],
    ["an --out that cannot be written", [...SAID, "--out", "nowhere/n.onnx"], 1, "cannot write nowhere/n.onnx"],
  ])("%s: one message, nothing written", async (_, args, exitCode, says) => {
    const cwd = await foreignFolder();
    const before = await readdir(cwd);
    const { code, stdout, stderr } = await fivecrop(["adopt", "m.onnx", "--out", "n.onnx", ...args], { cwd });
    expect(stderr).toMatch(/^fivecrop: .+\n$/);
    expect(stderr).toContain(says);
    expect({ code, stdout }).toEqual({ code: exitCode, stdout: "" });
    expect(await readdir(cwd)).toEqual(before);
  });

  test("a picture in place of a model", async () => {
    const cwd = await foreignFolder();
    const { code, stderr } = await fivecrop(["adopt", picture("bag"), ...SAID, "--out", "n.onnx"], { cwd });
    expect(stderr).toMatch(/^fivecrop: .*bag\.png: no ONNX model/);
    expect(code).toBe(1);
  });
});

describe.skipIf(!needPhotos("infer without --model, on a photo"))("infer without --model", () => {
  const tabby = photo("n02123045_tabby");

  test("names what is in a photo", async () => {
    const { code, stdout, stderr } = await fivecrop(["infer", tabby, "--tta", "five-crop", "--top", "3"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const shares = Array.from(stdout.matchAll(/^ {2}(\S.*?) +(\d+\.\d) %/gm), ([, label, share]) => [label, Number(share)]);
    expect(shares.map(([label]) => label)).toEqual(["tabby cat", "Egyptian Mau", "tiger cat"]);
    for (const [i, share] of [30.9, 27.7, 11.1].entries()) expect(Math.abs(Number(shares[i][1]) - share)).toBeLessThanOrEqual(0.1001);
  });

  test("a foreign file with --labels and --preset answers the same", async () => {
    const foreign = ["--model", shared("models", "squeezenet1.1-imagenet.onnx"), "--labels", shared("models", "imagenet-labels.json")];
    const [named, shipped] = await Promise.all([
      fivecrop(["infer", tabby, ...foreign, "--preset", "imagenet", "--json"]),
      fivecrop(["infer", tabby, "--json"]),
    ]);
    expect({ code: named.code, stderr: named.stderr }).toEqual({ code: 0, stderr: "" });
    expect(jsonLines(named.stdout)).toEqual(jsonLines(shipped.stdout));
  });
});

test("infer without --model, on any picture", async () => {
  const { code, stdout } = await fivecrop(["infer", picture("bag"), "--json"]);
  expect(code).toBe(0);
  expect(jsonLines(stdout)[0].predictions).toHaveLength(5);
});

test("inspect says how a file without metadata becomes usable", async () => {
  const cwd = await foreignFolder();
  expect((await fivecrop(["inspect", "m.onnx"], { cwd })).stdout).toContain("infer needs --labels and --preprocess or --preset; adopt");
  await writeFile(join(cwd, "m.onnx"), withMetadata(model()));
  expect((await fivecrop(["inspect", "m.onnx"], { cwd })).stdout).not.toContain("infer needs");
});
