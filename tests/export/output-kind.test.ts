import { describe, expect, test } from "vitest";
import { concatenate, encodeField } from "../../core/protobuf.ts";
import { outputKindOf } from "../../export/output-kind.ts";
import { serialize } from "../../export/serialize.ts";
import type { Value } from "../../models/graph/graph.ts";
import { type graphBuilder as Builder, graphBuilder } from "../../models/ops/index.ts";
import { model } from "../inference/models.ts";
import { needPeers, runPython } from "./peers.ts";

/** A model whose output is what `end` makes of [N, 4]. */
function endingIn(end: (g: ReturnType<typeof Builder>, x: Value) => Value): Uint8Array {
  const g = graphBuilder();
  return serialize(g.build("end", [end(g, g.input("x", "float32", ["N", 4]))]));
}

const utf8 = new TextEncoder();
const text = (number: number, value: string) => encodeField(number, utf8.encode(value));
const node = (op: string, inputs: readonly string[], outputs: readonly string[]) =>
  encodeField(1, concatenate([...inputs.map((name) => text(1, name)), ...outputs.map((name) => text(2, name)), text(4, op)]));
const graph = (...fields: readonly Uint8Array[]) => encodeField(7, concatenate([...fields]));
const output = (name: string) => encodeField(12, text(1, name));

describe("the last node tells what the output is", () => {
  test.each<[string, ReturnType<typeof outputKindOf>, Uint8Array]>([
    ["logits", undefined, model()],
    ["Softmax", "probabilities", model("N", "Softmax")],
    ["LogSoftmax", "log-probabilities", model("N", "LogSoftmax")],
    ["Log of Softmax", "log-probabilities", endingIn((g, x) => g.add("Log", [g.add("Softmax", [x])]))],
    ["Softmax, then Flatten", "probabilities", endingIn((g, x) => g.add("Flatten", [g.add("Softmax", [x])]))],
    ["Softmax, then two of Identity", "probabilities", endingIn((g, x) => g.add("Identity", [g.add("Identity", [g.add("Softmax", [x])])]))],
    ["Log of logits", undefined, endingIn((g, x) => g.add("Log", [x]))],
    ["Softmax in the middle, as attention has it", undefined, endingIn((g, x) => g.add("Mul", [g.add("Softmax", [x]), x]))],
    ["Sigmoid", undefined, endingIn((g, x) => g.add("Sigmoid", [x]))],
    ["the input itself", undefined, endingIn((g, x) => g.add("Identity", [x]))],
    ["a second output", undefined, graph(node("Softmax", ["x"], ["p"]), output("x"), output("p"))],
    ["nodes out of order", "probabilities", graph(output("y"), node("Identity", ["p"], ["y"]), node("Softmax", ["x"], ["p"]))],
    ["a circle", undefined, graph(node("Identity", ["a"], ["b"]), node("Identity", ["b"], ["a"]), output("a"))],
    ["no output", undefined, graph(node("Softmax", ["x"], ["p"]))],
    ["an output that nothing makes", undefined, graph(output("p"))],
    ["no graph", undefined, new Uint8Array(0)],
  ])("%s: %s", (_, kind, bytes) => {
    expect(outputKindOf(bytes)).toBe(kind);
  });

  test("bytes that are no model are an error, never a hang", () => {
    expect(() => outputKindOf(utf8.encode("GIF89a, a picture"))).toThrow("not a protocol buffers message");
    expect(() => outputKindOf(model("N", "Softmax").subarray(0, 200))).toThrow("not a protocol buffers message");
  });

  test.skipIf(!needPeers("softmax as PyTorch's exporter writes it"))("PyTorch's exporter: softmax, log_softmax, softmax and log", () => {
    const script = `
import base64, io, sys, torch
class M(torch.nn.Module):
    def __init__(self, end): super().__init__(); self.fc = torch.nn.Linear(4, 3); self.end = end
    def forward(self, x): return self.end(self.fc(x))
for end in (lambda x: x, lambda x: x.softmax(1), lambda x: x.log_softmax(-1), lambda x: x.softmax(1).log(), lambda x: x.softmax(1).flatten(1)):
    f = io.BytesIO()
    torch.onnx.export(M(end), (torch.zeros(1, 4),), f, dynamo=False)
    print(base64.b64encode(f.getvalue()).decode())`;
    const kinds = runPython(script)
      .trim()
      .split("\n")
      .map((line) => outputKindOf(Buffer.from(line, "base64")));
    expect(kinds).toEqual([undefined, "probabilities", "log-probabilities", "log-probabilities", "probabilities"]);
  });
});
