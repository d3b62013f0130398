import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { beforeAll, describe, expect, test } from "vitest";
import { fivecrop, temporaryFolder } from "../cli/run.ts";
import { floats, node, onnxFile, port } from "../export/onnx-file.ts";
import { classes, writeTree } from "../pipeline/make-pictures.ts";
import { smallFile } from "./files.ts";

let folder: string;
const train = (...args: string[]) =>
  fivecrop(["train", "--data", `folder:${join(folder, "photos")}`, "--out", join(folder, "run"), ...args], {
    cwd: folder,
    env: { XDG_CACHE_HOME: join(folder, "cache") },
  });

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTree(join(folder, "photos"), classes(["a", "b"], 6));
  await writeFile(join(folder, "small.onnx"), smallFile());
  const linear = [node("Flatten", ["x"], "f"), node("Gemm", ["f", "m"], "y")];
  const shape = { input: [port("x", ["N", 3, 8, 8])], initializer: [floats("m", [192, 2])] };
  await writeFile(join(folder, "erfinv.onnx"), onnxFile([node("ErfInv", ["x"], "e"), ...linear], shape));
  await writeFile(
    join(folder, "two.onnx"),
    onnxFile([...linear, node("Relu", ["y"], "z")], { ...shape, output: [port("y", ["N", 2]), port("z", ["N", 2])] }),
  );
  const outside = onnxProto.onnx.ModelProto.decode(onnxFile(linear, shape));
  const place = (location: string) => {
    const externalData = [
      { key: "location", value: location },
      { key: "offset", value: "16" },
      { key: "length", value: String(192 * 2 * 4) },
    ];
    outside.graph!.initializer![0] = { name: "m", dims: [192, 2], dataType: 1, dataLocation: 1, externalData } as never;
    return onnxProto.onnx.ModelProto.encode(outside).finish();
  };
  await writeFile(join(folder, "outside.onnx"), place("weights.bin"));
  await writeFile(join(folder, "above.onnx"), place("../weights.bin"));
});

const spec = '{"resize":10,"filter":"bilinear","crop":[8,8],"channels":3,"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}';

describe("train --model FILE.onnx", () => {
  test("trains, exports and says what the head took the place of", { timeout: 240_000 }, async () => {
    const args = [
      "--model",
      "small.onnx",
      "--preprocess",
      spec,
      "--epochs",
      "1",
      "--batch-size",
      "5",
      "--head",
      "4",
      "--dropout",
      "0.2",
      "--freeze",
      "1",
      "--lr-backbone",
      "1e-4",
    ];
    const { code, stdout, stderr } = await train(...args);
    expect(stderr).toContain("small: the new head reads 'flat' [N,6], in place of 'y' (Gemm) and its 4 classes");
    expect(stdout).toContain("small on folder:");
    expect(stdout).toMatch(/388 parameters, of which 272 train, 2 classes/);
    expect(code).toBe(0);
    expect(existsSync(join(folder, "run", "model.onnx"))).toBe(true);
    expect(existsSync(join(folder, "run", "report.html"))).toBe(true);
  });

  test("weights that lie beside the model are read; missing ones are named", { timeout: 240_000 }, async () => {
    const args = ["--model", "outside.onnx", "--preprocess", spec, "--epochs", "1", "--batch-size", "5", "--no-report", "--overwrite"];
    const missing = await train(...args);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringMatching(
        /outside\.onnx: initializer 'm': its numbers lie in .*weights\.bin, which cannot be read: there is no such file or folder\. To fix: put that file beside the model/,
      ),
    ]);
    await writeFile(join(folder, "weights.bin"), new Uint8Array(100));
    const short = await train(...args);
    expect([short.code, short.stderr]).toEqual([
      1,
      expect.stringContaining("its numbers are bytes 16 to 1552 of weights.bin, which has 100"),
    ]);
    await writeFile(join(folder, "weights.bin"), new Uint8Array(1552));
    expect((await train(...args)).code).toBe(0);
  });

  test.each<[string, string[], number, string]>([
    [
      "an operator that is not supported",
      ["--model", "erfinv.onnx", "--preset", "imagenet"],
      1,
      "erfinv.onnx: node 'e' (ErfInv): this operator is not supported (opset 17)",
    ],
    [
      "two outputs",
      ["--model", "two.onnx", "--preset", "imagenet"],
      2,
      "two.onnx: expected one output, the classes or the features, found 2: y, z",
    ],
    [
      "weights outside of the model's folder",
      ["--model", "above.onnx", "--preset", "imagenet"],
      1,
      "its numbers lie in '../weights.bin', which is not in the model's folder",
    ],
    ["no preprocessing", ["--model", "small.onnx"], 2, "small.onnx does not say how pictures are prepared for it"],
    ["an unknown preset", ["--model", "small.onnx", "--preset", "imagenet1"], 2, "unknown preset 'imagenet1'. Did you mean 'imagenet'?"],
    [
      "a value that is not there",
      ["--model", "small.onnx", "--preset", "imagenet", "--features", "flatt"],
      2,
      "--features: 'hand' computes no value 'flatt'. The nearest names: flat",
    ],
    [
      "another word to freeze",
      ["--model", "small.onnx", "--freeze", "all"],
      2,
      "--freeze: expected backbone, none, or how many layers below the head are to train, received 'all'.",
    ],
    ["a rate that is none", ["--model", "small.onnx", "--lr-backbone", "0"], 2, "--lr-backbone: expected a number above 0"],
  ])("%s is refused, and nothing is left", async (_what, args, code, message) => {
    const out = join(folder, "refused");
    const found = await train(...args, "--out", out);
    expect([found.code, found.stderr]).toEqual([code, expect.stringContaining(message)]);
    expect(existsSync(out)).toBe(false);
  });
});
