import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import onnxProto from "onnx-proto";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "../../export/parse.ts";
import { serialize } from "../../export/serialize.ts";
import { VERSION } from "../../export/version.ts";
import type { Graph } from "../../models/graph/graph.ts";
import { print } from "../../models/graph/print.ts";
import { graphBuilder, OPS } from "../../models/ops/index.ts";
import { bytesOf, classifier, difference, everyType, normal, run } from "./graphs.ts";
import { needPeers, runPython } from "./peers.ts";

const folder = mkdtempSync(join(tmpdir(), "fivecrop-export-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A graph without its identities: comparable by value. */
const plain = (graph: Graph) => ({
  ...graph,
  initializers: Array.from(graph.initializers, ([value, { dtype, shape, data }]) => [value, dtype, shape, hash(data)]),
});
const hash = (data: ArrayBufferView) =>
  createHash("sha256")
    .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    .digest("hex");
const expectRoundTrip = (graph: Graph) => expect(plain(parse(serialize(graph)))).toEqual(plain(graph));

describe("serialize and parse", () => {
  test("a built graph comes back equal: names, attributes, defaults, types, weights", () => expectRoundTrip(classifier()));

  test("tensors of every element type, scalars and empty ones come back to the bit", () => {
    const g = graphBuilder();
    const outputs = everyType().map((t, i) => g.add("Identity", [g.initializer(`held ${i}`, t)], {}, `given ${i}`));
    expectRoundTrip(g.build("types", outputs));
  });

  test("a graph without a batch, a scalar input, several inputs and outputs", () => {
    const g = graphBuilder();
    const [x, rate] = [g.input("x", "float32", [2, 3]), g.input("rate", "float32", [])];
    const y = g.add("Mul", [x, rate]);
    expectRoundTrip(g.build("step", [y, g.add("Cast", [y], { to: 7 }), g.add("Softmax", [y], { axis: -2 })]));
  });

  test("defaults are not written, omitted inputs are, and the header says who wrote it", () => {
    const model = onnxProto.onnx.ModelProto.decode(serialize(classifier()));
    expect([model.producerName, model.producerVersion]).toEqual(["fivecrop", VERSION]);
    expect(JSON.parse(readFileSync("package.json", "utf8")).version).toBe(VERSION);
    expect(model.opsetImport.map(({ version }) => Number(version))).toEqual([18]);
    const nodes = new Map(model.graph!.node!.map((node) => [node.opType, node]));
    expect(nodes.get("Conv")!.attribute!.map(({ name }) => name)).toEqual(["kernel_shape", "pads"]);
    expect(nodes.get("Clip")!.input).toEqual(["bn", "", "constant/6"]);
    expect(model.graph!.input![0].type!.tensorType!.shape!.dim!.map((d) => d.dimParam || Number(d.dimValue))).toEqual(["N", 3, 12, 12]);
  });

  test.each([
    ["Relu", 17, 8],
    ["ReduceSumSquare", 18, 8],
  ])("the lowest opset that has %s, from 17: %i, in file format %i", (op, opset, format) => {
    const g = graphBuilder();
    const x = g.input("x", "float32", ["N", 1, 4, 4]);
    const model = onnxProto.onnx.ModelProto.decode(serialize(g.build("one", [g.add(op, [x])])));
    expect([Number(model.opsetImport[0].version), Number(model.irVersion)]).toEqual([opset, format]);
  });

  test("the trainer's own operators are refused, by name", () => {
    const g = graphBuilder();
    const x = g.input("x", "float32", [2]);
    const graph = g.build("own", [g.add("ReluGradient", [x, x], {}, "mask")]);
    expect(() => serialize(graph)).toThrow("node 'mask': ReluGradient is an operator of the trainer's own");
  });

  test("two values of one name are refused", () => {
    const graph = classifier();
    const twice = { ...graph, inputs: [...graph.inputs, { ...graph.inputs[0] }] };
    expect(() => serialize(twice)).toThrow("two values have the name 'images'");
  });

  test("ONNX Runtime runs the file at any batch size", async () => {
    const graph = classifier();
    const images = normal([3, 3, 12, 12], 9);
    const { fc } = await run(graph, { images });
    expect(fc.shape).toEqual([3, 5]);
    const { fc: again } = await run(serialize(parse(serialize(graph))), { images });
    expect(difference(fc, again)).toBe(0);
  });
});

describe("files by other writers", () => {
  for (const name of ["squeezenet1.1-imagenet", "mobilenetv2-imagenet-headless"]) {
    const path = join("..", "shared", "models", `${name}.onnx`);
    const present = existsSync(path);
    if (!present) console.log(`skipped: ${name}.onnx is not there`);
    test.skipIf(!present)(`${name} survives, and computes the same`, async () => {
      const bytes = bytesOf(path);
      const graph = parse(bytes, name);
      expectRoundTrip(graph);
      const feeds = { data: normal([1, 3, 224, 224], 1) };
      const [before, after] = [await run(bytes, feeds), await run(graph, feeds)];
      for (const output of graph.outputs) expect(difference(before[output.name], after[output.name])).toBeLessThan(1e-5);
    });
  }

  test.skipIf(!needPeers("PyTorch's exporter"))("PyTorch's exporter: names, Constant nodes, a symbolic batch", async () => {
    const path = join(folder, "torch.onnx");
    runPython(
      `
import sys, torch, torch.nn as nn
torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(), nn.MaxPool2d(2),
  nn.Conv2d(8, 8, 3, padding=1, groups=4), nn.Sigmoid(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(8, 4), nn.LogSoftmax(1)).eval()
net[1].running_mean.normal_(); net[1].running_var.uniform_(0.5, 2)
torch.onnx.export(net, torch.zeros(1, 3, 16, 16), sys.argv[1], dynamo=False, opset_version=17, input_names=["images"], output_names=["scores"],
  dynamic_axes={"images": {0: "batch"}, "scores": {0: "batch"}}, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)
`,
      path,
    );
    const bytes = bytesOf(path);
    const graph = parse(bytes, "torch.onnx");
    expect(graph.inputs[0]).toMatchObject({ name: "images", shape: ["N", 3, 16, 16] });
    expect(print(graph, OPS)).toContain("BatchNormalization");
    expectRoundTrip(graph);
    const feeds = { images: normal([3, 3, 16, 16], 2) };
    expect(difference((await run(bytes, feeds)).scores, (await run(graph, feeds)).scores)).toBeLessThan(1e-6);
  });

  test.skipIf(!needPeers("Python's onnx"))("Python's onnx: its checker finds nothing wrong with ours, and we read its typed fields", () => {
    const [ours, theirs] = [join(folder, "ours.onnx"), join(folder, "theirs.onnx")];
    writeFileSync(ours, serialize(classifier()));
    runPython(
      `
import sys, onnx
from onnx import helper as h, TensorProto as T
onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)
held = [h.make_tensor("f", T.FLOAT, [2], [0.5, -1]), h.make_tensor("d", T.DOUBLE, [1], [0.1]), h.make_tensor("i", T.INT64, [2], [-1, 2**40]),
  h.make_tensor("b", T.BOOL, [2], [True, False]), h.make_tensor("u", T.UINT8, [2], [1, 255])]
nodes = [h.make_node("Constant", [], ["c"], value_float=2.5), h.make_node("Add", ["x", "c"], ["y"]), h.make_node("Identity", ["f"], ["z"], name="same")]
graph = h.make_graph(nodes, "typed", [h.make_tensor_value_info("x", T.FLOAT, [None, 3])], [h.make_tensor_value_info("y", T.FLOAT, None), h.make_tensor_value_info("z", T.FLOAT, [2])], held)
onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 18)]), sys.argv[2])
`,
      ours,
      theirs,
    );
    const graph = parse(bytesOf(theirs));
    expect(print(graph, OPS)).toMatchInlineSnapshot(`
      "graph typed
        input x: float32[N,3]
        initializer f: float32[2](0.5,-1)
        initializer d: float64[1](0.1)
        initializer i: int64[2](-1,1099512000000)
        initializer b: bool[2](1,0)
        initializer u: uint8[2](1,255)
        initializer c: float32[](2.5)
        y = Add(x, c) → float32[N,3]
        z = Identity(f) → float32[2]
        output y: float32[N,3]
        output z: float32[2]
      "
    `);
    expectRoundTrip(graph);
  });
});
