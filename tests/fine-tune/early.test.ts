import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { writeSafetensors } from "../../export/safetensors.ts";
import { type RunEvent, type RunOptions, run } from "../../training/run.node.ts";
import { DEFAULTS, type RunConfig } from "../../training/run-config.ts";
import { temporaryFolder } from "../cli/run.ts";
import { floats, ints, node, onnxFile, port, sawtooth } from "../export/onnx-file.ts";
import { classes, under, writeTree } from "../pipeline/make-pictures.ts";
import { smallFile } from "./files.ts";

const preprocess = { resize: 10, filter: "bilinear", crop: [8, 8], channels: 3, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] } as const;
const gemm = (x: string) => node("Gemm", [x, "fc.weight", "fc.bias"], "y", { transB: 1 });
const ones = (name: string, value = 1) => floats(name, [6], Array<number>(6).fill(value));
const norm = (x: string, y: string) => node("BatchNormalization", [x, "s", "o", "m", "v"], y);
const statistics = [ones("s"), ones("o", 0.1), ones("m", 0), ones("v")];
let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTree(at("photos"), { ...under("train", classes(["a", "b", "c"], 7)), ...under("val", classes(["a", "b", "c"], 3)) });
  const files = {
    small: smallFile(),
    cumsum: smallFile({ end: [node("CumSum", ["flat", "axis"], "running"), gemm("running")], initializer: [ints("axis", [1], [])] }),
    product: smallFile({
      end: [node("ReduceProd", ["r2"], "product", { axes: [2, 3], keepdims: 0 }), gemm("product")],
    }),
    transposed: smallFile({
      end: [
        node("ConvTranspose", ["r2", "up"], "wide", { kernel_shape: [2, 2], strides: [2, 2] }),
        node("GlobalAveragePool", ["wide"], "mean"),
        node("Flatten", ["mean"], "vector"),
        gemm("vector"),
      ],
      initializer: [floats("up", [6, 6, 2, 2])],
    }),
    "norm-vector": smallFile({ end: [norm("flat", "normed"), gemm("normed")], initializer: statistics }),
    "norm-point": smallFile({
      end: [norm("pool", "normed"), node("Flatten", ["normed"], "vector"), gemm("vector")],
      initializer: statistics,
    }),
  };
  for (const [name, bytes] of Object.entries(files)) await writeFile(at(`${name}.onnx`), bytes);
});

const configOf = (model: string, more: Partial<RunConfig> = {}): RunConfig => {
  const { validation: _, ...defaults } = DEFAULTS;
  return { ...defaults, model: at(model), data: `folder:${at("photos")}`, epochs: 1, batchSize: 6, preprocess, ...more };
};

/** With a cache of its own, so that what was decoded for it is seen. */
async function train(config: RunConfig, out: string, options: Partial<RunOptions> = {}) {
  for (const name of ["XDG_CACHE_HOME", "LOCALAPPDATA"]) vi.stubEnv(name, `${out}-cache`);
  const events: RunEvent[] = [];
  const ended = (async () => {
    for await (const event of run(config, { out, dataRoot: folder, report: false, ...options })) events.push(event);
  })();
  const message = await ended.then(
    () => undefined,
    (error: Error) => error.message,
  );
  return { message, kinds: events.map(({ kind }) => kind), decoded: existsSync(`${out}-cache`) };
}

describe("a network that cannot be trained is refused before its directory is begun", () => {
  test.each<[string, number, string]>([
    ["cumsum.onnx", 6, "node 'running' (CumSum) has no gradient"],
    ["product.onnx", 6, "node 'product' (ReduceProd) has no gradient"],
    ["transposed.onnx", 6, "node 'wide' (ConvTranspose) has no gradient"],
    [
      "norm-vector.onnx",
      20,
      "node 'normed' (BatchNormalization) would normalize over one value: its input is [1,6]. To fix: choose a batch size",
    ],
    ["norm-point.onnx", 10, "node 'normed' (BatchNormalization) would normalize over one value: its input is [1,6,1,1]"],
  ])("%s, %d images a batch of 21", async (model, batchSize, expected) => {
    const out = at(`old-${model}`);
    await mkdir(out);
    await writeFile(join(out, "run.json"), "an old run");
    await writeFile(join(out, "model.onnx"), "its model");
    const refused = await train(configOf(model, { batchSize }), out, { overwrite: true });
    expect(refused.message).toContain(expected);
    expect(refused.kinds).not.toContain("prepared");
    expect((await readdir(out)).sort()).toEqual(["model.onnx", "run.json"]);
    expect(await readFile(join(out, "run.json"), "utf8")).toBe("an old run");
    const { message, decoded } = await train(configOf(model, { batchSize }), at(`new-${model}`));
    expect(message).toContain(expected);
    expect(decoded).toBe(expected.includes("over one value")); // which is known when the readable pictures are counted
    expect(existsSync(at(`new-${model}`))).toBe(false);
  });

  test("what is frozen needs no gradient and no statistics: it trains", { timeout: 240_000 }, async () => {
    for (const [model, batchSize] of [
      ["cumsum.onnx", 6],
      ["norm-vector.onnx", 20],
    ] as const) {
      const { message, kinds } = await train(configOf(model, { batchSize, freeze: "backbone" }), at(`frozen-${model}`));
      expect(message).toBeUndefined();
      expect(kinds).toContain("exported");
    }
  });
});

describe("what the network and its options say is said before a picture is decoded", () => {
  test.each<[string, Partial<RunConfig>, string]>([
    ["more layers than there are", { freeze: 99 }, "expected at most 2 of them to train, received 99."],
    ["a crop that the file does not take", { preprocess: { ...preprocess, crop: [9, 9] } }, "the preprocessing makes them [3,9,9]"],
    ["sizes that it does not take", { sizes: [{ size: 4, epochs: 1 }] }, "its layers are not known, only its graph is"],
    ["more epochs in sizes than there are", { sizes: [{ size: 8, epochs: 3 }] }, "expected at most the run's 1 epochs, received 3"],
    ["a rate of nothing", { learningRate: 0 }, "learning rate: expected a number above 0, received 0."],
  ])("%s", async (name, more, expected) => {
    const { message, decoded } = await train(configOf("small.onnx", more), at(name));
    expect([message, decoded]).toEqual([expect.stringContaining(expected), false]);
    expect(existsSync(at(name))).toBe(false);
  });

  test("features that are no vector", async () => {
    await writeFile(
      at("rank-3.onnx"),
      smallFile({
        end: [node("Reshape", ["r2", "to"], "rows"), node("Flatten", ["rows"], "wide"), node("Gemm", ["wide", "last"], "y")],
        initializer: [ints("to", [0, 6, 64]), floats("last", [384, 4])],
      }),
    );
    const { message, decoded } = await train(configOf("rank-3.onnx", { features: "rows" }), at("rank-3"));
    expect([message, decoded]).toEqual([expect.stringContaining("'rows' of 'rank-3' is float32[N,6,64]"), false]);
  });
});

describe("weights for what has them already", () => {
  test.each<[string, Partial<RunConfig>, string | RegExp]>([
    ["an ONNX file", {}, /^--weights: the weights of .*small\.onnx are there already\. To fix: leave it out/],
    [
      "a network on features",
      { model: "mobilenetv2-features", preprocess: undefined },
      "--weights: 'mobilenetv2-features' does not take it: its backbone is trained already.",
    ],
  ])("%s", async (name, more, expected) => {
    const weights = at("some.safetensors");
    await writeFile(weights, writeSafetensors({}));
    const { message } = await train(configOf("small.onnx", { ...more, weights }), at(name));
    expect(message).toMatch(expected instanceof RegExp ? expected : new RegExp(expected.replace(/[.()]/g, "\\$&")));
    expect(existsSync(at(name))).toBe(false);
  });
});

test("of a file for one picture at a time the value that the head reads is compared", async () => {
  const nodes = [node("Flatten", ["x"], "flat"), node("Gemm", ["flat", "w"], "y"), node("Softmax", ["y"], "shares", { axis: 0 })];
  const weights = [floats("w", [192, 4], sawtooth(768, 3))];
  const output = [port("y", [1, 4]), port("shares", [1, 4])];
  await writeFile(at("across.onnx"), onnxFile(nodes, { input: [port("x", [1, 3, 8, 8])], output, initializer: weights }));
  const { message } = await train(configOf("across.onnx", { features: "shares" }), at("across"));
  expect(message).toMatch(
    /across\.onnx takes 1 at a time, and its value 'shares' is another when it is given more: by \S+ of 1\.0 on random images\. To fix:/,
  );
  expect((await train(configOf("across.onnx", { features: "y" }), at("within"))).message).toBeUndefined();
});
