import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { tensor } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { describeForeign } from "../../inference/foreign-model.ts";
import type { Dimension } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { PRESETS } from "../../pipeline/presets.ts";
import { model, withMetadata } from "./models.ts";

const describeFile = (bytes: Uint8Array) => describeForeign(bytes, createSession, "m.onnx");

/** A network that answers with its input's means. */
function means(shape: readonly Dimension[], isFlat = true): Uint8Array {
  const g = graphBuilder();
  const pooled = g.add("GlobalAveragePool", [g.input("images", "float32", shape)]);
  return serialize(g.build("means", [isFlat ? g.add("Flatten", [pooled]) : pooled]));
}

describe("what a file without metadata tells", () => {
  test("a small gray one: its size, its classes, what its output is", async () => {
    const found = await describeFile(model());
    expect(found).toMatchObject({ classes: 4, outputKind: "logits", preset: "zero-to-one" });
    expect(found?.presets["zero-to-one"]).toMatchObject({ resize: 9, crop: [8, 8], channels: 1, mean: [0], std: [1] });
    expect(found?.presets["minus-one-to-one"]).toMatchObject({ crop: [8, 8], mean: [0.5], std: [0.5] });
    expect((await describeFile(model(3, "LogSoftmax")))?.outputKind).toBe("log-probabilities");
    expect((await describeFile(model("N", "LogSoftmax", "Exp")))?.outputKind).toBe("probabilities"); // its last node does not tell
  });

  test("a photo's size: ImageNet's preprocessing, fitted", async () => {
    const found = await describeFile(means(["N", 3, 299, 299]));
    expect(found).toMatchObject({ classes: 3, preset: "imagenet" });
    expect(found?.presets.imagenet).toEqual({ ...PRESETS.imagenet, resize: 342, crop: [299, 299] });
    expect((await describeFile(means([1, 3, 224, 224])))?.presets.imagenet).toEqual(PRESETS.imagenet);
  });

  test("nothing where the file says all itself", async () => expect(await describeFile(withMetadata(model()))).toBeUndefined());

  test.each<[string, () => Uint8Array, string]>([
    ["no pictures", () => vectors(), "m.onnx: expected one input, pictures [N,C,H,W] of 1 channel or 3; found float32 [N,10]"],
    ["channels last", () => means(["N", 8, 8, 3]), "found float32 [N,8,8,3]. To fix: export it with the channels before"],
    ["an output that is a map", () => means(["N", 3, 8, 8], false), "m.onnx: its output 'GlobalAveragePool' is float32 [1,3,1,1]"],
    ["pictures too large", () => means(["N", 3, 8192, 8192]), "preprocess.crop"],
    ["no model", () => new Uint8Array(9), "m.onnx: no ONNX model"],
  ])("%s is refused", async (_, make, message) => expect(describeFile(make())).rejects.toThrow(message));
});

function vectors(): Uint8Array {
  const g = graphBuilder();
  const weight = g.initializer("weight", tensor("float32", [10, 2], new Float32Array(20)));
  return serialize(g.build("vectors", [g.add("Gemm", [g.input("x", "float32", ["N", 10]), weight])]));
}
