import type { onnx } from "onnx-proto";
import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { float32, numbersOf } from "../../core/tensor.ts";
import { networkOf } from "../../export/import-model.ts";
import { verifyExport } from "../../inference/verify.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { trainedModel } from "../../training/export-trained.ts";
import { sgd } from "../../training/optimizers.ts";
import { difference, run } from "../export/graphs.ts";
import { floats, ints, node, onnxFile, port, sawtooth } from "../export/onnx-file.ts";
import { imported, stepInput } from "./files.ts";

const [SIDE, CHANNELS, CLASSES, BATCH] = [15, 8, 4, 5];
const labels = ["a", "b", "c", "d"];
const norm = (name: string, x: string, y: string) =>
  node("BatchNormalization", [x, `${name}/gamma`, `${name}/beta`, `${name}/mean`, `${name}/variance`], y, { epsilon: { float: 1e-3 } });
const vectors = (name: string): onnx.ITensorProto[] =>
  ["gamma", "beta", "mean", "variance"].map((part, i) => {
    const isPositive = part === "gamma" || part === "variance";
    return floats(
      `${name}/${part}`,
      [CHANNELS],
      sawtooth(CHANNELS, i).map((v) => (isPositive ? 1 + v / 4 : v / 4)),
    );
  });

/** How the pixels are averaged: as the writer has it before it optimizes, behind the images' own order, and after. */
const POOLS: Readonly<Record<string, onnx.INodeProto[]>> = {
  "GlobalAveragePool and Squeeze": [node("GlobalAveragePool", ["features"], "pool"), node("Squeeze", ["pool", "pixels"], "vector")],
  "ReduceMean without its axes": [node("ReduceMean", ["features"], "vector", { axes: [2, 3], keepdims: 0 })],
  "ReduceMean with the channels last": [
    node("Transpose", ["features"], "last", { perm: [0, 2, 3, 1] }),
    node("ReduceMean", ["last"], "vector", { axes: [1, 2], keepdims: 0 }),
  ],
};

/** A Keras classifier as tf2onnx writes it: images with the channels last, biases as sums, pads at the end only. */
function kerasFile(pool: readonly onnx.INodeProto[]): Uint8Array {
  const nodes = [
    node("Transpose", ["input_1"], "first", { perm: [0, 3, 1, 2] }),
    node("Conv", ["first", "conv/kernel"], "conv", {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [0, 0, 1, 1],
      dilations: [1, 1],
      group: 1,
    }),
    node("Add", ["conv", "conv/bias"], "biased"),
    norm("bn1", "biased", "normed"),
    node("Clip", ["normed", "zero", "six"], "clipped"),
    node("Pad", ["clipped", "pads"], "padded", { mode: "constant" }),
    node("Conv", ["padded", "depthwise/kernel"], "depthwise", {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [0, 0, 0, 0],
      group: CHANNELS,
    }),
    norm("bn2", "depthwise", "normed2"),
    node("Relu", ["normed2"], "relu"),
    node("AveragePool", ["relu"], "features", { kernel_shape: [2, 2], strides: [1, 1], pads: [0, 0, 1, 1] }),
    ...pool,
    node("MatMul", ["vector", "dense/kernel"], "product"),
    node("Add", ["product", "dense/bias"], "dense"),
    node("Softmax", ["dense"], "predictions"),
  ];
  const initializer = [
    floats("conv/kernel", [CHANNELS, 3, 3, 3]),
    floats("conv/bias", [1, CHANNELS, 1, 1]),
    ...vectors("bn1"),
    floats("zero", [], [0]),
    floats("six", [], [6]),
    ints("pads", [0, 0, 0, 0, 0, 0, 1, 1]),
    floats("depthwise/kernel", [CHANNELS, 1, 3, 3]),
    ...vectors("bn2"),
    ints("pixels", [2, 3]),
    floats("dense/kernel", [CHANNELS, CLASSES]),
    floats("dense/bias", [CLASSES]),
  ];
  const ports = { input: [port("input_1", ["unk__6", SIDE, SIDE, 3])], output: [port("predictions", ["unk__7", CLASSES])] };
  return onnxFile(nodes, { ...ports, opset: 13, initializer });
}

describe.each(Object.entries(POOLS))("a Keras classifier whose end is %s", (_what, pool) => {
  const file = kerasFile(pool);
  const model = imported(file);
  const metadata = { labels, preprocess: undefined as never, outputKind: "probabilities" as const };
  const { network, keepsHead } = networkOf({ ...model, metadata }, { name: "keras", classNames: labels });

  test("takes images with the channels first, learns its weights, and its head has a place", () => {
    expect([model.input, keepsHead, network.graph.nodes[0].op]).toEqual([[3, SIDE, SIDE], true, "Conv"]);
    expect(model.place).toMatchObject({ features: { name: "vector", shape: ["N", CHANNELS] }, classifier: { op: "MatMul" } });
    expect([...network.parameters.keys()].map(({ name }) => name)).toEqual([
      "conv/kernel",
      "conv/bias",
      "bn1/gamma",
      "bn1/beta",
      "depthwise/kernel",
      "bn2/gamma",
      "bn2/beta",
      "dense/kernel",
      "dense/bias",
    ]);
  });

  test("answers as the file does, learns in three steps, and its export answers as the engine", async () => {
    const engine = createOnnxRuntimeEngine({ network, optimizer: sgd({ momentum: 0.9 }), createSession, threads: 1 });
    try {
      await engine.initialize({ seed: 1 });
      const input = stepInput([3, SIDE, SIDE], BATCH, CLASSES);
      const before = await engine.predict(input.images);
      const { predictions } = await run(file, { input_1: channelsLast(input.images.data) });
      expect(difference(softmaxRows(numbersOf(before)), predictions)).toBeLessThan(1e-5);
      const losses: number[] = [];
      for (let step = 0; step < 3; step++) losses.push((await engine.train([input], [0.05]))[0].loss);
      expect(losses[2]).toBeLessThan(losses[0]);
      const preprocess = { resize: null, filter: "bilinear", crop: [SIDE, SIDE], channels: 3, mean: [0, 0, 0], std: [1, 1, 1] } as const;
      const bytes = trainedModel(network, await engine.state(), { labels, preprocess });
      await verifyExport(bytes, { createSession, images: input.images, expected: await engine.predict(input.images) });
    } finally {
      await engine.dispose();
    }
  });
});

function channelsLast(data: Float32Array) {
  const pixels = SIDE * SIDE;
  const turned = Float32Array.from(
    data,
    (_, i) => data[Math.floor(i / (3 * pixels)) * 3 * pixels + (i % 3) * pixels + (Math.floor(i / 3) % pixels)],
  );
  return float32(turned, [BATCH, SIDE, SIDE, 3]);
}

function softmaxRows(logits: readonly number[]) {
  const sums = Array.from({ length: BATCH }, (_, n) =>
    logits.slice(n * CLASSES, (n + 1) * CLASSES).reduce((sum, z) => sum + Math.exp(z), 0),
  );
  return float32(
    logits.map((z, i) => Math.exp(z) / sums[Math.floor(i / CLASSES)]),
    [BATCH, CLASSES],
  );
}
