import type { onnx } from "onnx-proto";
import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { numbersOf } from "../../core/tensor.ts";
import { networkOf } from "../../export/import-model.ts";
import { parse } from "../../export/parse.ts";
import { verifyExport } from "../../inference/verify.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { trainedModel } from "../../training/export-trained.ts";
import { sgd } from "../../training/optimizers.ts";
import { writeStep } from "../../training/step/index.ts";
import { difference } from "../export/graphs.ts";
import { floats, node, onnxFile, port } from "../export/onnx-file.ts";
import { imported, stepInput } from "./files.ts";

const truth = (name: string, value: 0 | 1): onnx.ITensorProto => ({ name, dataType: 9, dims: [], rawData: Uint8Array.of(value) });
const names = ["a", "b", "c"];

/** As VGG and AlexNet of the model zoo have it: dropout between linear layers. */
function fileOf(opset: number, inputs: readonly string[], attributes: Record<string, { float: number }>, initializer: onnx.ITensorProto[]) {
  const nodes = [
    node("Flatten", ["x"], "flat"),
    node("Gemm", ["flat", "w1"], "z1"),
    node("Relu", ["z1"], "r1"),
    node("Dropout", ["r1", ...inputs], "d1", attributes),
    node("Gemm", ["d1", "w2"], "y"),
  ];
  const weights = [floats("w1", [48, 16]), floats("w2", [16, 7])];
  return onnxFile(nodes, { opset, input: [port("x", ["N", 3, 4, 4])], initializer: [...weights, ...initializer] });
}

const ratio = floats("ratio", [], [0.25]);
const FILES: readonly (readonly [what: string, file: Uint8Array, ratio: number])[] = [
  ["opset 7", fileOf(7, [], { ratio: { float: 0.25 } }, []), 0.25],
  ["opset 11, without its ratio", fileOf(11, [], {}, []), 0.5],
  ["opset 12, without a mode", fileOf(12, ["ratio"], {}, [ratio]), 0.25],
  ["opset 13, in training mode", fileOf(13, ["ratio", "mode"], {}, [ratio, truth("mode", 1)]), 0.25],
  ["opset 17, in inference mode", fileOf(17, ["ratio", "mode"], {}, [ratio, truth("mode", 0)]), 0.25],
  ["opset 17, in training mode without its ratio", fileOf(17, ["", "mode"], {}, [truth("mode", 1)]), 0.5],
];

describe.each(FILES)("dropout of a file of %s", (_what, file, share) => {
  const { network } = networkOf(imported(file), { name: "small", classNames: names });

  test("is one form with its own ratio, and drops in training", () => {
    const [dropout] = network.graph.nodes.filter(({ op }) => op === "Dropout");
    expect(dropout.inputs).toHaveLength(2);
    expect(numbersOf(network.graph.initializers.get(dropout.inputs[1]!)!)).toEqual([share]);
    expect(writeStep(network, 4, sgd()).noise.map(({ value }) => value.shape)).toEqual([[4, 16]]);
  });

  test("is no part of the exported file, which answers as the engine does", async () => {
    const engine = createOnnxRuntimeEngine({ network, optimizer: sgd(), createSession, threads: 1 });
    try {
      await engine.initialize({ seed: 1 });
      const input = stepInput([3, 4, 4], 6, 3);
      const whole = await engine.predict(input.images);
      const [{ logits }] = await engine.train([input], [0.01]);
      expect(difference(logits, whole)).toBeGreaterThan(1e-2);
      const preprocess = { resize: null, filter: "bilinear", crop: [4, 4], channels: 3, mean: [0, 0, 0], std: [1, 1, 1] } as const;
      const bytes = trainedModel(network, await engine.state(), { labels: names, preprocess });
      expect(parse(bytes).nodes.map(({ op }) => op)).toEqual(["Flatten", "Gemm", "Relu", "Gemm"]);
      const expected = await engine.predict(input.images);
      await verifyExport(bytes, { createSession, images: input.images, expected, outputKind: "logits" });
    } finally {
      await engine.dispose();
    }
  });
});

test("a ratio that is computed is refused by its node", () => {
  const nodes = [
    node("Flatten", ["x"], "flat"),
    node("ReduceMax", ["flat"], "most", { keepdims: 0 }),
    node("Dropout", ["flat", "most"], "y"),
  ];
  expect(() => imported(onnxFile(nodes, { input: [port("x", ["N", 3, 4, 4])] }))).toThrow(
    "small.onnx: node 'y' (Dropout): its input 'ratio' must be a constant",
  );
});
