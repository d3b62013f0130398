import { expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { externalWeights } from "../../export/external-weights.ts";
import { describeForeign } from "../../inference/foreign-model.ts";
import { contractOf } from "../../inference/model-contract.ts";
import { LABELS, metadata } from "../inference/models.ts";
import { floats, node, onnxFile, port } from "./onnx-file.ts";

const inside = { ...floats("w", [4, 192]), name: "w" };
const held = { name: "w", dims: [4, 192], dataType: 1, externalData: [{ key: "location", value: "model.onnx.data" }] };
const gemm = node("Gemm", ["f", "w"], "y", { transB: 1 });
const file = (w: object, nodes = [node("Flatten", ["x"], "f"), gemm]) =>
  onnxFile(nodes, { input: [port("x", ["N", 3, 8, 8])], initializer: [w as never] });

test("the file beside a model that holds its weights, of an initializer and of a constant", () => {
  expect(externalWeights(file(inside))).toBeUndefined();
  expect(externalWeights(file(held))).toBeUndefined(); // where they lie is said by data_location alone
  expect(externalWeights(file({ ...held, dataLocation: 1 }))).toBe("model.onnx.data");
  const constant = { opType: "Constant", output: ["c"], attribute: [{ name: "value", type: 4, t: { ...held, dataLocation: 1 } }] };
  expect(externalWeights(file(inside, [constant as never, node("Flatten", ["x"], "f"), gemm]))).toBe("model.onnx.data");
});

test("such a model is refused: the runtime would take a file of that name in the working folder, another model's too", async () => {
  const { preprocess } = metadata;
  const contract = (w: object) => () => contractOf(file(w), { labels: LABELS, preprocess }, "m.onnx");
  expect(contract(inside)).not.toThrow();
  expect(contract({ ...held, dataLocation: 1 })).toThrow(
    "m.onnx: weights of it lie in another file, 'model.onnx.data', and a model is taken whole. To fix: save it with its weights inside",
  );
  await expect(describeForeign(file({ ...held, dataLocation: 1 }), createSession, "m.onnx")).rejects.toThrow(
    "weights of it lie in another",
  );
});
