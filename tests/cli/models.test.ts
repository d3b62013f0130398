import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readMetadata } from "../../export/metadata.ts";
import { writeSafetensors } from "../../export/safetensors.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { BACKBONES } from "../../models/backbones.ts";
import { SHIPPED } from "../../models/shipped.ts";
import { initialState } from "../../training/engines/variables.ts";
import { createOptimizer } from "../../training/optimizers.ts";
import { call, dict, named, text, tinyTorch, torchLegacy } from "../export/make-torch.ts";
import { classes, writeTree } from "../pipeline/make-pictures.ts";
import { fivecrop, jsonLines, temporaryFolder } from "./run.ts";

let cwd: string;
beforeAll(async () => {
  cwd = await temporaryFolder();
});
const run = (...args: readonly string[]) =>
  fivecrop(args, { cwd, env: { FIVECROP_DATA: join(cwd, "data"), XDG_CACHE_HOME: join(cwd, "cache") } });

describe("models", () => {
  test("list and info say what there is, whether it is here, and where it comes from", async () => {
    const { code, stdout } = await run("models", "list");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^resnet18 +– +torchvision's ResNet-18/m);
    expect(stdout).toMatch(/^mobilenetv2-imagenet-headless +there +part of the package, features without a classifier/m);
    expect(stdout).toMatch(/^squeezenet1.1-imagenet +there +part of the package, ready to run: 1,000 classes/m);
    const info = (await run("models", "info", "densenet169")).stdout;
    for (const part of [
      "https://download.pytorch.org/models/densenet169-b2777c0a.pth  sha256 b2777c0a…",
      "14,149,480 parameters",
      '"resize":256',
    ])
      expect(info).toContain(part);
    expect(jsonLines((await run("models", "info", "resnet18", "--json")).stdout)[0]).toMatchObject({
      name: "resnet18",
      model: "resnet18",
      file: join(cwd, "data", "models", "resnet18-f37072fd.pth"),
      source: { sha256: "f37072fd" },
    });
  });

  test("what is part of the package is trained further by the name that list and info say", async () => {
    await writeTree(join(cwd, "photos"), classes(["cat", "dog"], 4));
    for (const name of Object.keys(SHIPPED)) {
      const info = (await run("models", "info", name)).stdout;
      const [, line] = /to train +fivecrop (train .*) DATA$/m.exec(info)!;
      expect(line).toContain(`--model ${name} `);
      const small = ["--epochs", "1", "--batch-size", "3", "--freeze", "backbone", "--no-report", "--out", name];
      const { code, stdout, stderr } = await run(...line.split(" "), "folder:photos", ...small);
      expect(code, stderr).toBe(0);
      expect(stdout).toContain(`${name} on folder:`);
    }
    expect(Object.values(BACKBONES).map(({ file }) => file.replace(/\.onnx$/, ""))).toEqual(
      Object.keys(SHIPPED).filter((name) => name.endsWith("headless")),
    );
    const unknown = await run("train", "--model", "squeezenet1.1-imagnet", "--data", "folder:photos", "--out", "none");
    expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining("Did you mean 'squeezenet1.1-imagenet'? There are: ") });
  });

  test("fetch refuses another file by its hash, and a damaged one is not begun with", async () => {
    await writeFile(join(cwd, "resnet18-f37072fd.pth"), tinyTorch());
    const fetched = await run("models", "fetch", "resnet18", "--from", ".");
    expect(fetched).toMatchObject({ code: 1, stderr: expect.stringContaining("expected the published sha256 hash f37072fd…") });
    expect((await readdir(join(cwd, "data", "models"))).filter((name) => name.endsWith(".pth"))).toEqual([]);
    const begin = () => run("train", "--model", "resnet18", "--weights", "resnet18", "--data", "fashion-mnist-sample", "--out", "none");
    expect(await begin()).toMatchObject({ code: 1, stderr: expect.stringContaining("To fix: fivecrop models fetch resnet18") });
    await mkdir(join(cwd, "data", "models"), { recursive: true });
    await writeFile(join(cwd, "data", "models", "resnet18-f37072fd.pth"), tinyTorch());
    expect(await begin()).toMatchObject({ code: 1, stderr: expect.stringContaining("expected the published sha256 hash f37072fd…") });
    expect(await readdir(cwd)).not.toContain("none");
  });
});

describe("train --weights", () => {
  const TRAIN = [
    "train",
    "--model",
    "fashion-cnn",
    "--data",
    "fashion-mnist-sample",
    "--epochs",
    "1",
    "--batch-size",
    "200",
    "--no-report",
    "--head",
    "16",
  ];

  test("begins with them, says what is drawn, keeps the path out of the model, and goes on without the file", async () => {
    const { parameters, state } = initialState(
      { network: createNetwork("fashion-cnn", { classes: 3 }), optimizer: createOptimizer("sgd") },
      1,
    );
    await writeFile(join(cwd, "begin.safetensors"), writeSafetensors({ ...parameters, ...state }));
    const { code, stdout } = await run(...TRAIN, "--weights", "begin.safetensors", "--out", "run");
    expect(code).toBe(0);
    expect(stdout).toContain(
      "begins with begin.safetensors (safetensors): 18 of 22 tensors; fc.0.weight, fc.0.bias, fc.2.weight, fc.2.bias are drawn: the file has nothing of these names, but fc.weight, fc.bias, which are left out\n",
    );
    expect(JSON.parse(await readFile(join(cwd, "run", "run.json"), "utf8")).config.weights).toBe(join(cwd, "begin.safetensors"));
    const model = await readFile(join(cwd, "run", "model.onnx"));
    expect(readMetadata(model)?.training?.arguments?.weights).toBe("begin.safetensors");
    expect(model.includes(cwd)).toBe(false);
    await rm(join(cwd, "begin.safetensors"));
    expect((await run("train", "--resume", "run")).code).toBe(0);
  });

  test.each<[string, Buffer, string]>([
    [
      "evil.pth",
      torchLegacy({ storages: {}, tensors: {} }, dict([["a", call(named("os", "system"), text("exit 1"))]])),
      "it asks for os.system",
    ],
    ["other.pth", tinyTorch(), "does not fit the network 'fashion-cnn': 0 of its 22 tensors are there"],
    ["cut.pth", tinyTorch().subarray(0, 200), "it is damaged or cut off"],
    ["empty.pth", Buffer.alloc(0), "is empty"],
  ])("%s: one message, and nothing is written", async (file, bytes, says) => {
    await writeFile(join(cwd, file), bytes);
    const { code, stdout, stderr } = await run(...TRAIN, "--weights", file, "--out", `of-${file}`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^fivecrop: .+\n$/);
    expect(stderr).toContain(says);
    expect(await readdir(cwd)).not.toContain(`of-${file}`);
  });
});
