import { describe, expect, test } from "vitest";
import { UsageError } from "../../core/errors.ts";
import { concatenate, encodeField } from "../../core/protobuf.ts";
import { createSession } from "../../core/session.node.ts";
import { tensor } from "../../core/tensor.ts";
import { type ModelMetadata, readMetadata } from "../../export/metadata.ts";
import { serialize } from "../../export/serialize.ts";
import { type AdoptOptions, adopt } from "../../inference/adopt.ts";
import { loadClassifier } from "../../inference/classifier.node.ts";
import type { ContractOptions } from "../../inference/model-contract.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { LABELS, metadata, model, picture, SIDE, withMetadata } from "./models.ts";

const { preprocess } = metadata;
const said = { labels: LABELS, preprocess };
const adopted = async (bytes: Uint8Array, options: AdoptOptions = said) => (await adopt(bytes, createSession, options)).model;

async function probabilities(bytes: Uint8Array, options?: ContractOptions): Promise<number[]> {
  const classifier = await loadClassifier(bytes, options);
  try {
    return [...(await classifier.classify(picture(2, 1))).probabilities];
  } finally {
    await classifier.dispose();
  }
}

/** Every weight is not a number. */
function notFinite(): Uint8Array {
  const g = graphBuilder();
  const pixels = g.add("Flatten", [g.input("images", "float32", ["N", 1, SIDE, SIDE])]);
  const weight = tensor("float32", [4, SIDE * SIDE], new Float32Array(4 * SIDE * SIDE).fill(Number.NaN));
  return serialize(g.build("spoiled", [g.add("Gemm", [pixels, g.initializer("weight", weight)], { transB: 1 })]));
}

describe("adopt", () => {
  test("the copy begins with the foreign file's own bytes, and carries what was said", async () => {
    const foreign = concatenate([
      model(),
      encodeField(14, concatenate([encodeField(1, Buffer.from("author")), encodeField(2, Buffer.from("else"))])),
    ]);
    const copy = await adopted(foreign, { ...said, views: "flip" });
    expect(Buffer.from(copy.subarray(0, foreign.length)).equals(Buffer.from(foreign))).toBe(true);
    expect(readMetadata(copy)).toEqual({ ...said, views: "flip", outputKind: "logits", createdBy: expect.stringMatching(/^fivecrop \d/) });
    expect(await probabilities(copy)).toEqual(await probabilities(foreign, { ...said, views: "flip" }));
  });

  test("adopted again: what is said is replaced, the rest stays, and no entry is there twice", async () => {
    const training = { dataset: "halves", epochs: 3 };
    const first = withMetadata(model(), { training, views: "flip" });
    const labels = ["a", "b", "c", "d"];
    const second = await adopted(first, { labels });
    expect(readMetadata(second)).toMatchObject({ labels, preprocess, training, views: "flip" });
    expect(await adopted(second, { labels })).toEqual(second);
  });

  test.each([
    ["Softmax", "probabilities"],
    ["LogSoftmax", "log-probabilities"],
  ] as const)("a last %s is written down", async (last, outputKind) => {
    expect(readMetadata(await adopted(model("N", last)))).toMatchObject({ outputKind });
  });

  test("what the last node cannot tell is told, also for a fixed batch", async () => {
    const copy = await adopted(model(3, "LogSoftmax", "Exp"), { ...said, outputKind: "probabilities" });
    const [found, expected] = await Promise.all([probabilities(copy), probabilities(withMetadata(model()))]);
    for (const [k, p] of found.entries()) expect(p).toBeCloseTo(expected[k], 6);
  });

  test.each<[string, Uint8Array, AdoptOptions, string]>([
    ["no labels", model(), { preprocess }, "carries no fivecrop metadata. To fix: give the options labels"],
    ["no preprocessing", model(), { labels: LABELS }, "give the options preprocess"],
    ["too few labels", model(), { ...said, labels: ["a", "b"] }, "foreign.onnx: its output 'logits' is float32 [N,4], 2 labels need"],
    ["another size", model(), { labels: LABELS, preprocess: { ...preprocess, crop: [SIDE, 9] } }, "foreign.onnx: its input 'images'"],
    ["unknown views", model(), { ...said, views: "six-crop" }, "Did you mean 'five-crop'?"],
    [
      "an output that is said to be what its last node does not make",
      model("N", "Softmax"),
      { ...said, outputKind: "logits" },
      "foreign.onnx: its last node makes probabilities, the option says logits",
    ],
    [
      "probabilities that no last softmax tells",
      model("N", "LogSoftmax", "Exp"),
      said,
      "foreign.onnx: its output looks like probabilities (from 0 to 1, with the sum 1.0000)",
    ],
    [
      "logits that are said to be log-probabilities",
      model(),
      { ...said, outputKind: "log-probabilities" },
      "whose sum over the classes is 1; found 4.000",
    ],
    ["weights that are not finite", notFinite(), said, "probabilities that are not numbers"],
    ["no ONNX model", Buffer.from("GIF89a, a picture"), said, "foreign.onnx: no ONNX model"],
    ["a graph that the runtime refuses", encodeField(7, new Uint8Array(0)), said, "ONNX Runtime cannot load it"],
  ])("%s is refused", async (_, bytes, options, message) => {
    await expect(adopted(bytes, { ...options, name: "foreign.onnx" })).rejects.toThrow(message);
  });
});

describe("nothing is softmaxed twice", () => {
  const logits = probabilities(withMetadata(model()));
  const close = async (found: Promise<number[]>) => {
    for (const [k, p] of (await found).entries()) expect(p).toBeCloseTo((await logits)[k], 6);
  };

  test.each(["Softmax", "LogSoftmax"] as const)("a file without metadata that ends in %s", async (last) => {
    await close(probabilities(model("N", last), said));
  });

  test.each<[ModelMetadata["outputKind"], "Softmax" | "LogSoftmax"]>([
    ["logits", "Softmax"],
    ["logits", "LogSoftmax"],
    ["probabilities", "LogSoftmax"],
  ])("metadata that say %s of a file that ends in %s", async (outputKind, last) => {
    await close(probabilities(withMetadata(model("N", last), { outputKind })));
  });

  test("the caller's own word comes first", async () => {
    const [twice, once] = await Promise.all([probabilities(model("N", "Softmax"), { ...said, outputKind: "logits" }), logits]);
    expect(Math.max(...twice)).toBeLessThan(Math.max(...once) - 0.01);
  });

  test("a missing contract is a misuse", async () => {
    await expect(adopted(model(), {})).rejects.toThrow(UsageError);
  });
});
