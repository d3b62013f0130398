import onnxProto, { type onnx } from "onnx-proto";
import { describe, expect, test } from "vitest";
import { encodeField } from "../../core/protobuf.ts";
import { parse } from "../../export/parse.ts";
import { serialize } from "../../export/serialize.ts";
import { shortestDecimal } from "../../export/tensor-data.ts";
import { print } from "../../models/graph/print.ts";
import { OPS } from "../../models/ops/index.ts";
import { classifier } from "./graphs.ts";

const FLOAT = 1;
const [FLOATS, INT, INTS, STRING, GRAPH] = [6, 2, 7, 3, 5];
const utf8 = new TextEncoder();

type Size = number | string | undefined;
const port = (name: string, dims: readonly Size[], elemType = FLOAT): onnx.IValueInfoProto => ({
  name,
  type: { tensorType: { elemType, shape: { dim: dims.map((d) => (typeof d === "number" ? { dimValue: d } : { dimParam: d })) } } },
});
const floats = (name: string, dims: number[], floatData = Array<number>(dims.reduce((a, b) => a * b, 1)).fill(1)): onnx.ITensorProto => ({
  name,
  dataType: FLOAT,
  dims,
  floatData,
});
const node = (
  opType: string,
  input: string[],
  output: string[],
  attribute: onnx.IAttributeProto[] = [],
  more: onnx.INodeProto = {},
): onnx.INodeProto => ({ opType, input, output, attribute, ...more });

/** A file of these nodes from x [N, 2, 4, 4] to y. */
const file = (nodes: onnx.INodeProto[], graph: onnx.IGraphProto = {}, opset = 17): Uint8Array =>
  onnxProto.onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: "", version: opset }],
    graph: {
      name: "hand",
      input: [port("x", ["N", 2, 4, 4])],
      output: [{ name: "y", type: { tensorType: { elemType: FLOAT } } }],
      node: nodes,
      ...graph,
    },
  }).finish();

const relu = [node("Relu", ["x"], ["y"])];
const lines = (bytes: Uint8Array) =>
  print(parse(bytes, "hand.onnx"), OPS)
    .trimEnd()
    .split("\n")
    .map((line) => line.trim());

describe("bombs", () => {
  test("a tensor that says it has more numbers than the file: nothing is allocated for it", () => {
    const relus = (dims: number[]) => file(relu, { initializer: [{ ...floats("w", [2]), dims }] });
    expect(() => parse(relus([2 ** 40, 2 ** 40]), "hand.onnx")).toThrow(/^hand\.onnx: initializer 'w': expected \S+ numbers for float32/);
    expect(() => parse(relus([-2, -1]), "hand.onnx")).toThrow("expected a shape of whole numbers from 0, found [-2,-1]");
  });

  test("graphs in nodes of graphs, 20,000 deep", () => {
    let graph: Uint8Array = new Uint8Array();
    while (graph.length < 80_000) graph = encodeField(1, encodeField(5, encodeField(6, graph)));
    expect(() => parse(encodeField(7, graph), "hand.onnx")).toThrow(/^hand\.onnx is no ONNX model/);
  });
});

describe("what other writers write", () => {
  test.each<[string, Size]>([
    ["N", "N"],
    ["another name", "batch_size"],
    ["nothing", undefined],
    ["0, as old files do", 0],
  ])("a first dimension that is %s is the batch", (_, d) => {
    expect(parse(file(relu, { input: [port("x", [d, 2, 4, 4])] })).inputs[0].shape).toEqual(["N", 2, 4, 4]);
  });

  test("a known batch stays", () => {
    expect(parse(file(relu, { input: [port("x", [3, 2, 4, 4])] })).outputs[0].shape).toEqual([3, 2, 4, 4]);
  });

  test("names of nodes and values, initializers among the inputs, Constant nodes of each kind", () => {
    const constants = [
      node("Constant", [], ["two"], [{ name: "value_float", type: FLOAT, f: 2 }]),
      node("Constant", [], ["list"], [{ name: "value_floats", type: FLOATS, floats: [0.1, 0.2, 0.3, 0.4] }]),
      node("Constant", [], ["shape"], [{ name: "value_ints", type: INTS, ints: [-1, 32] }]),
    ];
    const nodes = [
      ...constants,
      node("Mul", ["x", "two"], ["a"], [], { name: "a node" }),
      node("Add", ["a", "list"], ["b"]),
      node("Mul", ["b", "w"], ["c"], [], { name: "a node" }),
      node("Reshape", ["c", "shape"], ["y"]),
    ];
    const input = [port("x", ["N", 2, 4, 4]), port("w", [4])];
    expect(lines(file(nodes, { input, initializer: [floats("w", [4], [1, 2, 3, 4])] }))).toEqual([
      "graph hand",
      "input x: float32[N,2,4,4]",
      "initializer w: float32[4](1,2,3,4)",
      "initializer two: float32[](2)",
      "initializer list: float32[4](0.1,0.2,0.3,0.4)",
      "initializer shape: int64[2](-1,32)",
      "a = Mul(x, two) → float32[N,2,4,4]",
      "b = Add(a, list) → float32[N,2,4,4]",
      "c = Mul(b, w) → float32[N,2,4,4]",
      "y = Reshape(c, shape) → float32[N,32]",
      "output y: float32[N,32]",
    ]);
  });

  test("attributes that say nothing, and a kernel that only the weight says", () => {
    const attributes = [{ name: "auto_pad", type: STRING, s: utf8.encode("NOTSET") }];
    const nodes = [
      node("Conv", ["x", "w"], ["a"], attributes),
      node(
        "MaxPool",
        ["a"],
        ["b"],
        [
          { name: "kernel_shape", type: INTS, ints: [2, 2] },
          { name: "storage_order", type: INT, i: 0 },
        ],
      ),
      node("Transpose", ["b"], ["y"]),
    ];
    expect(lines(file(nodes, { initializer: [floats("w", [3, 2, 3, 3])] })).slice(3)).toEqual([
      "a = Conv(x, w) {kernel_shape=[3,3]} → float32[N,3,2,2]",
      "b = MaxPool(a) {kernel_shape=[2,2]} → float32[N,3,1,1]",
      "y = Transpose(b) {perm=[3,2,1,0]} → float32[1,1,3,N]",
      "output y: float32[1,1,3,N]",
    ]);
  });

  test("Softmax of opset 11 over the last axis", () => {
    const flat = node("Flatten", ["x"], ["a"]);
    expect(parse(file([flat, node("Softmax", ["a"], ["y"])], {}, 11)).nodes[1].attributes).toEqual({ axis: -1 });
    expect(lines(file([node("Softmax", ["x"], ["y"])], {}, 11)).slice(3)).toEqual([
      "y/flat = Flatten(x) → float32[N,32]",
      "y_2 = Softmax(y/flat) → float32[N,32]",
      "y = Reshape(y_2, y/shape) → float32[N,2,4,4]",
      "output y: float32[N,2,4,4]",
    ]);
  });

  test("a float attribute is the number that was meant", () => {
    for (const value of [1e-5, 0.1, 0.9, 1 / 3, 1e-3, 123456.7, 0, -2.5, 3e38])
      expect(Math.fround(shortestDecimal(Math.fround(value)))).toBe(Math.fround(value));
    expect(shortestDecimal(Math.fround(1e-5))).toBe(1e-5);
    expect(shortestDecimal(Math.fround(0.9))).toBe(0.9);
  });
});

describe("what is refused, and how", () => {
  const constant = (type: number) => node("Relu", ["x"], ["y"], [{ name: "odd", type }]);
  const cases: [string, Uint8Array, string][] = [
    ["an empty file", new Uint8Array(0), "hand.onnx is no ONNX model: expected a graph, a version and an opset in its 0 bytes"],
    ["a text", utf8.encode("this is a text, no model"), "hand.onnx is no ONNX model"],
    [
      "a model cut short",
      serialize(classifier()).subarray(0, 500),
      "hand.onnx is no ONNX model: expected a graph, found 500 bytes that cannot be read as one",
    ],
    ["an opset before 7", file(relu, {}, 6), "hand.onnx is of opset 6: expected 7 or newer. To fix: convert it"],
    ["no graph", onnxProto.onnx.ModelProto.encode({ irVersion: 8, opsetImport: [{ version: 17 }] }).finish(), "expected a graph"],
    [
      "an unknown operator",
      file([node("Einsum", ["x"], ["y"], [], { name: "mix" })]),
      "hand.onnx: node 'mix' (Einsum): this operator is not supported (opset 17)",
    ],
    [
      "one of another domain",
      file([node("Relu", ["x"], ["y"], [], { domain: "com.microsoft" })]),
      "node 'y' (com.microsoft.Relu): this operator is not supported",
    ],
    [
      "one of the trainer's own",
      file([node("ReluGradient", ["x", "x"], ["y"])]),
      "node 'y' (ReluGradient): this operator is not supported",
    ],
    [
      "an unknown attribute",
      file([node("Relu", ["x"], ["y"], [{ name: "slope", type: INT, i: 2 }])]),
      "node 'y' (Relu): its attribute 'slope' (2) is not supported here (opset 17)",
    ],
    [
      "padding by a rule",
      file([
        node(
          "MaxPool",
          ["x"],
          ["y"],
          [
            { name: "kernel_shape", type: INTS, ints: [2, 2] },
            { name: "auto_pad", type: STRING, s: utf8.encode("SAME_BOTH") },
          ],
        ),
      ]),
      "attribute 'auto_pad' (SAME_BOTH) is not supported",
    ],
    [
      "an attribute of another type",
      file([node("Flatten", ["x"], ["y"], [{ name: "axis", type: FLOAT, f: 1 }])]),
      "node 'y' (Flatten): its attribute 'axis': expected int, found float",
    ],
    ["a graph in an attribute", file([constant(GRAPH)]), "attribute 'odd' is of the type graph"],
    ["a missing attribute", file([node("MaxPool", ["x"], ["y"])]), "its attribute 'kernel_shape' is missing"],
    [
      "shapes that do not fit",
      file([node("MatMul", ["x", "w"], ["y"])], { initializer: [floats("w", [3, 3])] }),
      "hand.onnx: node 'y' (MatMul): inner dimensions differ: 4 and 3",
    ],
    ["a value that nothing computes", file([node("Relu", ["z"], ["y"])]), "node 'y' (Relu) reads 'z', which nothing before it computes"],
    [
      "nodes in the wrong order",
      file([node("Relu", ["a"], ["y"]), node("Relu", ["x"], ["a"])]),
      "reads 'a', which nothing before it computes",
    ],
    ["an output that nothing computes", file([node("Relu", ["x"], ["z"])]), "the graph's output reads 'y'"],
    ["one name twice", file([node("Relu", ["x"], ["y"]), node("Relu", ["x"], ["y"])]), "two values have the name 'y'"],
    [
      "an output of another shape",
      file(relu, { output: [port("y", ["N", 2, 4, 5])] }),
      "output 'y': the file says float32[N,2,4,5], its nodes give float32[N,2,4,4]",
    ],
    ["an output of another type", file(relu, { output: [port("y", ["N", 2, 4, 4], 7)] }), "the file says int64"],
    [
      "a symbolic height",
      file(relu, { input: [port("x", ["N", 2, "height", 4])] }),
      "input 'x' [N,2,height,4]: axis 2 is not a number, which only the batch (axis 0) may be",
    ],
    ["two unknown dimensions", file(relu, { input: [port("x", [undefined, 2, undefined, 4])] }), "input 'x' [?,2,?,4]: axis 2"],
    [
      "an input without a shape",
      file(relu, { input: [{ name: "x", type: { tensorType: { elemType: FLOAT } } }] }),
      "input 'x' says no shape",
    ],
    [
      "half precision",
      file(relu, { input: [port("x", ["N", 2, 4, 4], 10)] }),
      "input 'x': the element type 10 (TensorProto.DataType) is not supported",
    ],
    [
      "too few numbers",
      file(relu, { initializer: [floats("w", [3], [1, 2])] }),
      "initializer 'w': expected 3 numbers for float32 [3], found 2",
    ],
    [
      "too few bytes",
      file(relu, { initializer: [{ name: "w", dataType: FLOAT, dims: [3], rawData: new Uint8Array(8) }] }),
      "initializer 'w': expected 12 bytes for float32 [3], found 8",
    ],
    [
      "weights in another file",
      file(relu, { initializer: [{ name: "w", dataType: FLOAT, dims: [3], dataLocation: 1 }] }),
      "its numbers lie in another file",
    ],
    [
      "batch norm in training mode, old style",
      file([node("BatchNormalization", ["x", "w", "w", "w", "w"], ["y", "m", "v"])], { initializer: [floats("w", [2])] }, 9),
      "its 3 outputs mean training mode in opset 9",
    ],
  ];
  test.each(cases)("%s", (_, bytes, message) => {
    expect(() => parse(bytes, "hand.onnx")).toThrow(message);
    expect(() => parse(bytes, "hand.onnx")).toThrow("hand.onnx");
  });
});
