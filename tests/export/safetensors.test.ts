import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { float32, numbersOf, tensor } from "../../core/tensor.ts";
import { readSafetensors, writeSafetensors } from "../../export/safetensors.ts";
import { bytesOf, everyType } from "./graphs.ts";
import { needPeers, runPython } from "./peers.ts";

const named = Object.fromEntries(everyType().map((t, i) => [`layer.${i} “weight”`, t]));

/** A file with this header and so many bytes of data. */
function file(header: string, data = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

test("every element type comes back to the bit, with its metadata, and in place", () => {
  const bytes = writeSafetensors(named, { step: "12", "": "" });
  const { tensors, metadata } = readSafetensors(bytes);
  expect(metadata).toEqual({ step: "12", "": "" });
  expect(new Set(Object.keys(tensors))).toEqual(new Set(Object.keys(named)));
  for (const [name, t] of Object.entries(named)) {
    expect(tensors[name]).toEqual(t);
    expect(tensors[name].data.buffer).toBe(bytes.buffer);
  }
});

test("a file at an odd place in memory is copied, and equal", () => {
  const bytes = writeSafetensors(named);
  const shifted = new Uint8Array(bytes.length + 1).subarray(1);
  shifted.set(bytes);
  const { tensors } = readSafetensors(shifted);
  for (const [name, t] of Object.entries(named)) expect(tensors[name]).toEqual(t);
});

test("no tensors at all", () => {
  expect(readSafetensors(writeSafetensors({}))).toEqual({ tensors: {}, metadata: {} });
});

test("half precision becomes float32, exactly", () => {
  const header = '{"h":{"dtype":"F16","shape":[6],"data_offsets":[0,12]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]}}';
  const bytes = file(header, 16);
  const words = [0x3c00, 0xc000, 0x0001, 0x7bff, 0xfc00, 0x7e00, 0x3f80, 0xc2f7]; // 1, −2, 2⁻²⁴, 65504, −∞, NaN; 1, −123.5
  const view = new DataView(bytes.buffer, bytes.length - 16);
  words.forEach((word, i) => {
    view.setUint16(2 * i, word, true);
  });
  const { h, b } = readSafetensors(bytes).tensors;
  expect(numbersOf(h)).toEqual([1, -2, 2 ** -24, 65504, Number.NEGATIVE_INFINITY, Number.NaN]);
  expect(numbersOf(b)).toEqual([1, -123.5]);
  expect(h.dtype).toBe("float32");
});

const one = (fields: string) => `{"w":{${fields}}}`;
const good = '"dtype":"F32","shape":[2],"data_offsets":[0,8]';
test.each<[string, Uint8Array, string]>([
  ["too short", new Uint8Array(7), "at least 8 bytes, found 7"],
  ["a header longer than the file", file("{}").subarray(0, 9), "found one of 2"],
  ["a header of 2^60 bytes", Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 16, 1), "cut off or of another format"],
  ["no JSON", file("{w}"), "its header is no JSON text"],
  ["bad UTF-8", file('{"w":"x"}').map((byte) => (byte === 120 ? 255 : byte)), "its header is no JSON text"],
  ["no object", file("[]"), "expected its header to be a JSON object"],
  ["a name twice", file(`{"w":{${good}},"w":{${good}}}`, 8), "has the key 'w' twice"],
  ["a name twice, once escaped", file(`{"w":{${good}},"\\u0077":{${good}}}`, 8), "has the key 'w' twice"],
  ["offsets twice", file(one(`${good},"data_offsets":[0,8]`), 8), "has the key 'data_offsets' twice"],
  ["an unknown type", file(one('"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]'), 2), "tensor 'w': expected one of the types"],
  ["a negative dimension", file(one('"dtype":"U8","shape":[-2],"data_offsets":[0,2]'), 2), "expected a shape, found [-2]"],
  ["no offsets", file(one('"dtype":"U8","shape":[2]'), 2), "expected data_offsets [begin, end], found none"],
  ["reversed offsets", file(one('"dtype":"U8","shape":[2],"data_offsets":[2,0]'), 2), "found [2,0]"],
  [
    "a size that is not the shape's",
    file(one('"dtype":"F32","shape":[3],"data_offsets":[0,8]'), 8),
    "expected 12 bytes for F32 [3], found 8",
  ],
  [
    "an overlap",
    file(`{"w":{${good}},"v":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12),
    "tensor 'v': expected its data to begin at 8",
  ],
  ["a hole", file(one('"dtype":"F32","shape":[2],"data_offsets":[4,12]'), 12), "expected its data to begin at 0"],
  ["missing data", file(one(good), 4), "expected 8 bytes of data, found 4: the file is cut off"],
  ["more data", file(one(good), 9), "the file is too long"],
  ["metadata that is no text", file('{"__metadata__":{"a":1}}'), "expected texts by name"],
  ["a null entry", file('{"w":null}'), "expected one of the types"],
])("%s is refused", (_, bytes, message) => {
  expect(() => readSafetensors(bytes, "weights.safetensors")).toThrow(message);
  expect(() => readSafetensors(bytes, "weights.safetensors")).toThrow("weights.safetensors: ");
});

test("a tensor must not have the metadata's name", () => {
  expect(() => writeSafetensors({ __metadata__: float32([1]) })).toThrow("no tensor may have the name");
});

test("200 MB are written in one copy and read in none", () => {
  const data = new Float32Array(50_000_000).fill(1);
  const start = performance.now();
  const bytes = writeSafetensors({ w: tensor("float32", [data.length], data) });
  const { w } = readSafetensors(bytes).tensors;
  expect(performance.now() - start).toBeLessThan(3000);
  expect(w.data.buffer).toBe(bytes.buffer);
  expect(w.data[data.length - 1]).toBe(1);
});

test.skipIf(!needPeers("safetensors in Python"))("Python reads ours by the format's text, and we read Python's", () => {
  const folder = mkdtempSync(join(tmpdir(), "fivecrop-safetensors-"));
  try {
    const [ours, theirs] = [join(folder, "ours.safetensors"), join(folder, "theirs.safetensors")];
    writeFileSync(
      ours,
      writeSafetensors({ w: float32([1, 2, 3, 4, 5, 6], [2, 3]), n: tensor("int64", [1], BigInt64Array.of(-7n)) }, { a: "b" }),
    );
    const script = `
import sys, json, struct, numpy as np
raw = open(sys.argv[1], "rb").read()
size, = struct.unpack("<Q", raw[:8])
header = json.loads(raw[8:8 + size]); data = raw[8 + size:]
assert size % 8 == 0 and header.pop("__metadata__") == {"a": "b"}
for name, entry in sorted(header.items()):
  begin, end = entry["data_offsets"]
  print(name, np.frombuffer(data[begin:end], {"F32": "<f4", "I64": "<i8"}[entry["dtype"]]).reshape(entry["shape"]).tolist())
half = np.array([0.1, -3], "<f2"); double = np.array([[0.1]], "<f8")
header = json.dumps({"half": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]}, "double": {"dtype": "F64", "shape": [1, 1], "data_offsets": [4, 12]}}).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(header)) + header + half.tobytes() + double.tobytes())
`;
    expect(runPython(script, ours, theirs).trim().split("\n")).toEqual(["n [-7]", "w [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]"]);
    const { half, double } = readSafetensors(bytesOf(theirs)).tensors;
    expect(numbersOf(half)).toEqual([0.0999755859375, -3]);
    expect(numbersOf(double)).toEqual([0.1]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
