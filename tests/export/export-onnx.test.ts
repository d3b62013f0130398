import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { float32 } from "../../core/tensor.ts";
import { exportOnnx, setWeights } from "../../export/export-onnx.ts";
import { type ModelMetadata, readMetadata } from "../../export/metadata.ts";
import { parse } from "../../export/parse.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { classCount, initialParameters } from "../../models/network.ts";
import { ARCHITECTURE_NAMES, imageOf, smallNetwork } from "../models/small.ts";
import { difference, normal, run } from "./graphs.ts";
import { needPeers, runPython } from "./peers.ts";

const metadataOf = (channels: 1 | 3, [height, width]: readonly number[], classes: number): ModelMetadata => ({
  labels: Array.from({ length: classes }, (_, i) => `class ${i}`),
  preprocess: {
    resize: null,
    filter: "bilinear",
    crop: [height, width],
    channels,
    mean: Array(channels).fill(0.5),
    std: Array(channels).fill(0.5),
  },
  outputKind: "logits",
});

const network = createNetwork("fashion-cnn");
const statistics = Object.fromEntries(
  Array.from(network.graph.initializers).flatMap(([{ name, shape }], i) =>
    name.includes("running") ? [[name, normal(shape as number[], i, 0.1, name.endsWith("var") ? 1 : 0)]] : [],
  ),
);
const weights = { ...initialParameters(network, 1), ...statistics };
const options = { graph: network.graph, parameters: network.parameters.keys(), weights, metadata: metadataOf(1, [28, 28], 10) };

test("the file has the weights, folded, its metadata, and the graph's own numbers", async () => {
  const bytes = exportOnnx({ ...options, parameters: network.parameters.keys() });
  const graph = parse(bytes);
  expect(graph.nodes.some(({ op }) => op === "BatchNormalization")).toBe(false);
  expect(graph.inputs.map(({ shape }) => shape)).toEqual([["N", 1, 28, 28]]);
  expect(readMetadata(bytes)).toEqual(options.metadata);
  const images = normal([4, 1, 28, 28], 3);
  const [name] = network.graph.outputs.map((output) => output.name);
  const [before, after] = [await run(setWeights(network.graph, weights), { images }), await run(bytes, { images })];
  expect(difference(before[name], after[name])).toBeLessThan(1e-5);
});

test("a missing, unknown or wrongly shaped weight is named", () => {
  const { "fc.weight": _, ...rest } = weights;
  expect(() => exportOnnx({ ...options, parameters: network.parameters.keys(), weights: rest })).toThrow(
    "the weight 'fc.weight' of 'fashion-cnn' is missing",
  );
  expect(() => exportOnnx({ ...options, weights: { ...weights, "fc.wieght": weights["fc.weight"] } })).toThrow(
    "The nearest name is 'fc.weight'",
  );
  expect(() => exportOnnx({ ...options, weights: { ...weights, "fc.bias": float32([1, 2]) } })).toThrow(
    "'fc.bias': expected float32 [10] as in 'fashion-cnn', received float32 [2]",
  );
});

test.skipIf(!needPeers("onnx.checker"))("Python's onnx.checker finds nothing wrong with any architecture's export", () => {
  const folder = mkdtempSync(join(tmpdir(), "fivecrop-checker-"));
  try {
    const paths = ARCHITECTURE_NAMES.map((name) => {
      const net = smallNetwork(name);
      const [channels, ...size] = imageOf(net);
      const bytes = exportOnnx({
        graph: net.graph,
        weights: initialParameters(net, 0),
        metadata: metadataOf(channels as 1 | 3, size, classCount(net)),
      });
      const path = join(folder, `${name}.onnx`);
      writeFileSync(path, bytes);
      return path;
    });
    const script = "import sys, onnx\nfor path in sys.argv[1:]: onnx.checker.check_model(onnx.load(path), full_check=True); print('clean')";
    expect(
      runPython(script, ...paths)
        .trim()
        .split("\n"),
    ).toEqual(paths.map(() => "clean"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
