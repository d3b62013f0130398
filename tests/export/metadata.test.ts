import onnxProto from "onnx-proto";
import { expect, test } from "vitest";
import { concatenate, encodeField, fieldsOf } from "../../core/protobuf.ts";
import { appendMetadata, type ModelMetadata, readMetadata } from "../../export/metadata.ts";
import { serialize } from "../../export/serialize.ts";
import { classifier, difference, normal, run } from "./graphs.ts";

const metadata: ModelMetadata = {
  labels: ["T-shirt/top", "Größe “42”", "", "bag", "靴"],
  preprocess: { resize: [12, 12], filter: "bilinear", crop: [12, 12], channels: 3, mean: [0.5, 0.4, 0.3], std: [0.5, 0.25, 1e-3] },
  views: "five-crop",
  outputKind: "logits",
  architecture: "fashion-cnn",
  parameters: 62_058,
  training: {
    recipe: "x",
    arguments: { lr: 0.01 },
    dataset: "fashion-mnist",
    seed: 0,
    epochs: 5,
    bestEpoch: 4,
    metrics: { validationAccuracy: 0.9 },
    engine: "onnxruntime",
  },
  createdBy: "fivecrop 0.1.0",
  created: "2024-05-06T07:08:09.000Z",
};
const model = serialize(classifier());
const utf8 = new TextEncoder();
const entry = (key: string, value: string) =>
  encodeField(14, concatenate([encodeField(1, utf8.encode(key)), encodeField(2, utf8.encode(value))]));

test("metadata comes back equal, and the graph's bytes stay as they are", () => {
  const bytes = appendMetadata(model, metadata);
  expect(readMetadata(bytes)).toEqual(metadata);
  expect(bytes.subarray(0, model.length)).toEqual(model);
});

test("a protobuf library reads the same texts", () => {
  const { metadataProps } = onnxProto.onnx.ModelProto.decode(appendMetadata(model, metadata));
  const texts = Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
  expect(texts["fivecrop.metadata"]).toBe("1");
  expect(JSON.parse(texts["fivecrop.labels"]!)).toEqual(metadata.labels);
  expect(JSON.parse(texts["fivecrop.preprocess"]!)).toEqual(metadata.preprocess);
});

test("ONNX Runtime runs the file as before", async () => {
  const feeds = { images: normal([2, 3, 12, 12], 1) };
  expect(difference((await run(model, feeds)).fc, (await run(appendMetadata(model, metadata), feeds)).fc)).toBe(0);
});

test("appending again replaces ours and keeps others'", () => {
  const foreign = concatenate([model, entry("author", "someone"), entry("fivecrop.future", "{")]);
  const bytes = appendMetadata(appendMetadata(foreign, metadata), { ...metadata, views: undefined, labels: ["a"] });
  const { metadataProps } = onnxProto.onnx.ModelProto.decode(bytes);
  const keys = metadataProps.map(({ key }) => key);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toContain("author");
  expect(keys).not.toContain("fivecrop.future");
  expect(keys).not.toContain("fivecrop.views");
  expect(readMetadata(bytes)?.labels).toEqual(["a"]);
});

test("a file without ours has none; keys of a later writer are ignored", () => {
  expect(readMetadata(model)).toBeUndefined();
  expect(readMetadata(concatenate([model, entry("author", "someone")]))).toBeUndefined();
  expect(readMetadata(concatenate([appendMetadata(model, metadata), entry("fivecrop.future", "{")]))).toEqual(metadata);
});

test.each([
  ["no version", [entry("fivecrop.labels", '["a"]')], "expected version 1, found none"],
  ["a newer version", [entry("fivecrop.metadata", "2")], "expected version 1, found 2"],
  ["no JSON", [entry("fivecrop.metadata", "1"), entry("fivecrop.labels", "[")], "fivecrop.labels: expected JSON"],
  ["a missing field", [entry("fivecrop.metadata", "1")], "fivecrop.labels: expected a list of names, at least one, found nothing"],
  ["labels that are no names", [entry("fivecrop.metadata", "1"), entry("fivecrop.labels", "[1]")], "found [1]"],
  ["a wrong spec", [appendMetadata(new Uint8Array(), metadata), entry("fivecrop.preprocess", '{"resize":"big"}')], "preprocess"],
  ["a wrong kind of output", [appendMetadata(new Uint8Array(), metadata), entry("fivecrop.outputKind", '"scores"')], 'found "scores"'],
])("%s is an error", (_, parts, message) => {
  expect(() => readMetadata(concatenate([model, ...parts]))).toThrow(message);
});

test("metadata that is wrong is not written", () => {
  expect(() => appendMetadata(model, { ...metadata, labels: [] })).toThrow("fivecrop.labels: expected a list of names");
  expect(() => appendMetadata(model, { ...metadata, created: "yesterday" })).toThrow("ISO 8601");
});

test("bytes that are no message are refused, cut at any place or not", () => {
  expect(() => readMetadata(new TextEncoder().encode("GIF89a, no model"))).toThrow("not a protocol buffers message");
  expect(() => [...fieldsOf(model.subarray(0, model.length - 1))]).toThrow("cut off");
  expect(() => [...fieldsOf(new Uint8Array(12).fill(0xff))]).toThrow("cut off");
});

test("lengths of one to four bytes, and fields of every kind", () => {
  for (const length of [0, 127, 128, 16_384, 2_097_152]) {
    const encoded = concatenate([
      encodeField(14, new Uint8Array(length)),
      Uint8Array.of(8, 150, 1),
      Uint8Array.of(21, 1, 2, 3, 4),
      Uint8Array.of(25, 1, 2, 3, 4, 5, 6, 7, 8),
    ]);
    const fields = [...fieldsOf(encoded)];
    expect(fields.map(({ number }) => number)).toEqual([14, 1, 2, 3]);
    expect(fields[0].end - fields[0].content).toBe(length);
    expect(fields[3].end).toBe(encoded.length);
  }
});
