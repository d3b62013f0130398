import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { appendMetadata, readMetadata } from "../../export/metadata.ts";
import { withGoldenSamples } from "../../inference/golden-samples.node.ts";
import { metadata, model, withMetadata } from "../inference/models.ts";
import { fivecrop, jsonLines, picture, temporaryFolder } from "./run.ts";

const cwd = await temporaryFolder();
await writeFile(join(cwd, "model.onnx"), withMetadata(model()));
await writeFile(join(cwd, "foreign.onnx"), model());
await writeFile(join(cwd, "labels.txt"), metadata.labels.join("\n"));
const carrying = await withGoldenSamples(withMetadata(model()));
await writeFile(join(cwd, "carrying.onnx"), carrying);
const card = readMetadata(carrying)!;
await writeFile(join(cwd, "spoiled.onnx"), appendMetadata(carrying, { ...card, preprocess: { ...card.preprocess, filter: "nearest" } }));

describe.concurrent("verify", () => {
  test("a file that agrees", async () => {
    const { code, stdout, stderr } = await fivecrop(["verify", "carrying.onnx"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe(
      "carrying.onnx: 3 golden samples, five-crop, on cpu\n  largest difference of a probability: 0\n  every stage agrees\n",
    );
  });

  test("a file that does not: the first stage is named, and the exit code is 1", async () => {
    const { code, stdout } = await fivecrop(["verify", "spoiled.onnx"], { cwd });
    expect(code).toBe(1);
    expect(stdout).toMatch(/first stage that diverges: resize \(shapes, center\): expected [0-9a-f]{8}, found [0-9a-f]{8}\n$/);
    const json = await fivecrop(["verify", "spoiled.onnx", "--json"], { cwd });
    expect(json.code).toBe(1);
    expect(jsonLines(json.stdout)).toMatchObject([{ model: "spoiled.onnx", device: "cpu", samples: 3, divergence: { stage: "resize" } }]);
  });

  test.each<[string, readonly string[], string]>([
    [
      "wasm without a browser",
      ["--device", "wasm"],
      "--device: expected cpu, webgpu, cuda, several with commas between them, received 'wasm'. wasm is a browser's: add --browser.",
    ],
    ["an unknown device", ["--device", "cpu,tpu"], "received 'tpu'."],
    [
      "an unknown device of a browser",
      ["--browser", "--device", "gpu"],
      "--device: expected cpu, wasm, webgpu, several with commas between them, received 'gpu'.",
    ],
  ])("%s is misuse", async (_, args, message) => {
    const { code, stdout, stderr } = await fivecrop(["verify", "carrying.onnx", ...args], { cwd });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  });

  test.each([
    ["model.onnx", "model.onnx carries no golden samples"],
    ["none.onnx", "cannot read the model none.onnx"],
    ["labels.txt", "labels.txt: no ONNX model"],
  ])("%s is refused", async (file, message) => {
    const { code, stdout, stderr } = await fivecrop(["verify", file], { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(message);
  });
});

describe.concurrent("export --self-contained of a model's file", () => {
  test("is written beside it, with golden samples", async () => {
    const { code, stdout, stderr } = await fivecrop(["export", "model.onnx", "--self-contained", "--tta", "five-crop"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^model-self-contained\.onnx: .*\n {2}self-contained, five-crop: on its golden samples within \S+ percentage points of the ordinary path\n$/,
    );
    expect((await fivecrop(["verify", "model-self-contained.onnx"], { cwd })).code).toBe(0);
    const [own, ordinary] = await Promise.all(
      ["model-self-contained.onnx", "model.onnx"].map(async (file) => {
        const { stdout } = await fivecrop(["infer", picture("bag"), "--model", file, "--tta", "five-crop", "--json"], { cwd });
        return JSON.parse(stdout.trim()).predictions as { readonly label: string; readonly probability: number }[];
      }),
    );
    expect(own.map(({ label }) => label)).toEqual(ordinary.map(({ label }) => label));
    own.forEach(({ probability }, i) => {
      expect(Math.abs(probability - ordinary[i].probability)).toBeLessThan(1e-3);
    });
    const refused = await fivecrop(["inspect", "model-self-contained.onnx"], { cwd });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("model-self-contained.onnx is self-contained");
  });

  test("a foreign one with labels and preprocessing given, and samples of the user's own", async () => {
    const said = ["--labels", "labels.txt", "--preprocess", JSON.stringify(metadata.preprocess)];
    const files = ["--out", "own.onnx", "--samples", picture("bag"), picture("dress")];
    const { code, stdout } = await fivecrop(["export", "foreign.onnx", "--self-contained", "--json", ...said, ...files], { cwd });
    expect(code).toBe(0);
    expect(jsonLines(stdout)).toMatchObject([{ kind: "exported", file: "own.onnx", selfContained: { views: "none" } }]);
    const found = readMetadata(await readFile(join(cwd, "own.onnx")));
    expect(found?.samples?.samples.map(({ name }) => name)).toEqual(["bag.png", "dress.png"]);
    expect(found).toMatchObject({ labels: metadata.labels, selfContained: true, outputKind: "probabilities" });
    expect((await fivecrop(["verify", "own.onnx"], { cwd })).code).toBe(0);
  });

  test.each<[string, readonly string[], number, string]>([
    ["no labels", ["foreign.onnx", "--self-contained"], 2, "foreign.onnx carries no fivecrop metadata. To fix: give the options labels"],
    ["no file", ["none.onnx", "--self-contained"], 1, "cannot read the model none.onnx"],
    ["no sample", ["model.onnx", "--self-contained", "--samples", "none.png"], 1, "--samples: cannot read none.png"],
    [
      "a large sample",
      ["model.onnx", "--self-contained", "--samples", "large.png"],
      2,
      "large.png has 1048577 bytes, expected at most 1048576",
    ],
  ])("%s is refused", async (_, args, expected, message) => {
    await writeFile(join(cwd, "large.png"), new Uint8Array(2 ** 20 + 1));
    const { code, stdout, stderr } = await fivecrop(["export", ...args, "--out", "never.onnx"], { cwd });
    expect({ code, stdout }).toEqual({ code: expected, stdout: "" });
    expect(stderr).toContain(message);
  });
});
