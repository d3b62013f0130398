import type { onnx } from "onnx-proto";
import { describe, expect, test } from "vitest";
import { float32, numbersOf } from "../../core/tensor.ts";
import { parse } from "../../export/parse.ts";
import { upgrade } from "../../export/upgrade.ts";
import type { Attribute } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { difference, run } from "./graphs.ts";
import { floats, ints, node, onnxFile, port, sawtooth } from "./onnx-file.ts";

const x = float32(sawtooth(96), [3, 2, 4, 4]);
const vectors = ["scale", "shift", "mean"].map((name, i) => floats(name, [2], sawtooth(2, i)));
const variance = floats("variance", [2], [0.5, 2]);
const square = { kernel_shape: [3, 3] };
const NEAREST = { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
const truth = (name: string, value: 0 | 1): onnx.ITensorProto => ({ name, dataType: 9, dims: [], rawData: Uint8Array.of(value) });

/** [opset, what, nodes from x to y, initializers] */
const cases: readonly (readonly [opset: number, what: string, nodes: onnx.INodeProto[], initializer?: onnx.ITensorProto[]])[] = [
  [10, "AveragePool padded by SAME_UPPER", [node("AveragePool", ["x"], "y", { ...square, strides: [3, 3], auto_pad: "SAME_UPPER" })]],
  [19, "AveragePool with dilations of 1", [node("AveragePool", ["x"], "y", { ...square, dilations: [1, 1] })]],
  [8, "MaxPool padded by SAME_LOWER", [node("MaxPool", ["x"], "y", { kernel_shape: [2, 2], auto_pad: "SAME_LOWER", storage_order: 0 })]],
  [
    7,
    "BatchNormalization of spatial statistics",
    [node("BatchNormalization", ["x", "scale", "shift", "mean", "variance"], "y", { spatial: 1 })],
    [...vectors, variance],
  ],
  [
    9,
    "BatchNormalization with a momentum",
    [node("BatchNormalization", ["x", "scale", "shift", "mean", "variance"], "y", { momentum: { float: 0.8 } })],
    [...vectors, variance],
  ],
  [10, "Clip by attributes", [node("Clip", ["x"], "y", { min: { float: -0.5 }, max: { float: 0.25 } })]],
  [7, "Clip from below", [node("Clip", ["x"], "y", { min: { float: 0 } })]],
  [
    11,
    "Conv padded by SAME_UPPER with a stride",
    [node("Conv", ["x", "w"], "y", { auto_pad: "SAME_UPPER", strides: [3, 3] })],
    [floats("w", [3, 2, 2, 2])],
  ],
  [11, "Conv padded by SAME_LOWER", [node("Conv", ["x", "w"], "y", { auto_pad: "SAME_LOWER" })], [floats("w", [3, 2, 2, 2])]],
  [13, "Dropout with its mode", [node("Dropout", ["x", "ratio", "off"], "y")], [floats("ratio", [], [0.5]), truth("off", 0)]],
  [7, "Dropout with its ratio as an attribute", [node("Dropout", ["x"], "y", { ratio: { float: 0.5 } })]],
  [11, "Gemm without C", [node("Flatten", ["x"], "a"), node("Gemm", ["a", "w"], "y")], [floats("w", [32, 3])]],
  [11, "LogSoftmax over three axes", [node("LogSoftmax", ["x"], "y")]],
  [11, "Softmax over the last two axes", [node("Softmax", ["x"], "y", { axis: 2 })]],
  [11, "Softmax over all", [node("Softmax", ["x"], "y", { axis: 0 })]],
  [11, "Softmax over the last axis", [node("Softmax", ["x"], "y", { axis: -1 })]],
  [11, "Softmax over channels of single pixels", [node("GlobalAveragePool", ["x"], "a"), node("Softmax", ["a"], "y", { axis: 1 })]],
  [8, "Max of three", [node("Max", ["x", "w", "x"], "y")], [floats("w", [4])]],
  [8, "Min of one", [node("Min", ["x"], "y")]],
  [
    18,
    "Resize of the last two axes",
    [node("Resize", ["x", "", "scales"], "y", { ...NEAREST, axes: [2, -1], antialias: 0, keep_aspect_ratio_policy: "stretch" })],
    [floats("scales", [2], [2, 3])],
  ],
  [
    19,
    "Resize to sizes of the last two axes",
    [node("Resize", ["x", "", "", "sizes"], "y", { ...NEAREST, axes: [-2, 3] })],
    [ints("sizes", [8, 4])],
  ],
  [13, "Resize to sizes", [node("Resize", ["x", "", "", "sizes"], "y", NEAREST)], [ints("sizes", [3, 2, 8, 12])]],
  [8, "Sum of three", [node("Sum", ["x", "w", "x"], "y")], [floats("w", [2, 4, 4])]],
  [10, "Pad by attributes", [node("Pad", ["x"], "y", { pads: [0, 0, 1, 0, 0, 0, 0, 2], value: { float: 1.5 } })]],
  [18, "Pad of two axes", [node("Pad", ["x", "pads", "", "axes"], "y")], [ints("pads", [1, 0, 0, 2]), ints("axes", [2, -1])]],
  [11, "ReduceSum with axes as an attribute", [node("ReduceSum", ["x"], "y", { axes: [2, 3], keepdims: 0 })]],
  [17, "ReduceMean with axes as an attribute", [node("ReduceMean", ["x"], "y", { axes: [-1] })]],
  [13, "ReduceMax with axes as an attribute", [node("ReduceMax", ["x"], "y", { axes: [1, 2] })]],
  [12, "ReduceSumSquare of all but the batch", [node("ReduceSumSquare", ["x"], "y", { axes: [1, 2, 3], keepdims: 0 })]],
  [9, "Slice by attributes", [node("Slice", ["x"], "y", { starts: [1, -2], ends: [4, 9], axes: [2, 3] })]],
  [9, "Transpose without an order", [node("Transpose", ["x"], "y")]],
];

describe("a file of an older opset answers as in the form of today", () => {
  test.each(cases.map(([opset, what, nodes, initializer = []]) => [opset, what, nodes, initializer] as const))(
    "opset %i: %s",
    async (opset, _what, nodes, initializer) => {
      const bytes = onnxFile(nodes, { opset, initializer, input: [port("x", [3, 2, 4, 4])] });
      const [expected, found] = await Promise.all([run(bytes, { x }), run(parse(bytes), { x })]);
      expect(difference(Object.values(found)[0], Object.values(expected)[0])).toBeLessThan(1e-6);
    },
  );

  test("Resize to sizes with a batch that is not known, and with one that is freed", () => {
    const fixed = [node("Resize", ["x", "", "", "sizes"], "y", NEAREST)];
    const batchIn = [
      node("Shape", ["x"], "shape"),
      node("Gather", ["shape", "two"], "nc"),
      node("Concat", ["nc", "size"], "sizes", { axis: 0 }),
      ...fixed,
    ];
    const open = parse(onnxFile(batchIn, { initializer: [ints("two", [0, 1]), ints("size", [8, 12])] }));
    const freed = parse(onnxFile(fixed, { input: [port("x", [1, 2, 4, 4])], initializer: [ints("sizes", [1, 2, 8, 12])] }), {
      freeBatch: true,
    });
    expect([open, freed].map(({ outputs: [y] }) => y.shape)).toEqual([
      ["N", 2, 8, 12],
      ["N", 2, 8, 12],
    ]);
  });

  test.each<[string, Record<string, number | string>, string]>([
    ["antialias", { antialias: 1 }, "its attribute 'antialias' (1) is not supported here (opset 18)"],
    [
      "policy",
      { keep_aspect_ratio_policy: "not_larger" },
      "its attribute 'keep_aspect_ratio_policy' (not_larger) is not supported here (opset 18)",
    ],
  ])("Resize with another %s is refused by its name", (_what, attributes, message) => {
    const nodes = [node("Resize", ["x", "", "scales"], "y", { ...NEAREST, ...attributes })];
    const bytes = onnxFile(nodes, { opset: 18, initializer: [floats("scales", [4], [1, 1, 2, 2])] });
    expect(() => parse(bytes, "hand.onnx")).toThrow(`hand.onnx: node 'y' (Resize): ${message}`);
  });

  test("Max, Min and Sum of many are one node each, as the trainer has them", () => {
    for (const op of ["Max", "Min", "Sum"])
      expect(parse(onnxFile([node(op, ["x", "x", "x"], "y")], { opset: 8 })).nodes.map((each) => each.op)).toEqual([op]);
  });

  test("Softmax over several axes with a batch that is not known", () => {
    const graph = parse(onnxFile([node("Softmax", ["x"], "y")], { opset: 11 }));
    expect(graph.outputs[0].shape).toEqual(["N", 2, 4, 4]);
  });
});

describe("the form of today", () => {
  const form = (op: string, opset: number, attributes: Record<string, Attribute>, { outputs = 1, lists = [] as number[][] } = {}) => {
    const g = graphBuilder();
    const inputs = [g.input("x", "float32", ["N", 7, 4, 4]), ...lists.map((list) => g.initializer("list", float32(list)))];
    const upgraded = upgrade(op, { opset, name: "n", attributes, inputs, outputs, g });
    const constants = upgraded.inputs.map((value) => value && g.constantOf(value) && numbersOf(g.constantOf(value)!));
    return { op: upgraded.op, attributes: upgraded.attributes, constants };
  };

  test("Split: sizes as an input, equal parts where none are said, the last of them smaller", () => {
    expect(form("Split", 11, { axis: 1, split: [3, 4] }, { outputs: 2 })).toEqual({
      op: "Split",
      attributes: { axis: 1 },
      constants: [undefined, [3, 4]],
    });
    expect(form("Split", 13, { axis: 2 }, { outputs: 2 }).constants).toEqual([undefined, [2, 2]]);
    expect(form("Split", 18, { axis: 1, num_outputs: 2 }, { outputs: 2 }).constants).toEqual([undefined, [4, 3]]);
    expect(form("Split", 13, { axis: 1 }, { outputs: 2, lists: [[3, 4]] }).constants).toEqual([undefined, [3, 4]]);
  });

  test.each(["Squeeze", "Unsqueeze"])("%s: axes as an input", (op) => {
    expect(form(op, 11, { axes: [2, 3] })).toEqual({ op, attributes: {}, constants: [undefined, [2, 3]] });
    expect(form(op, 13, {}, { lists: [[2]] }).constants).toEqual([undefined, [2]]);
  });

  test("Upsample and Resize of opset 10: scales, and where pixels lie", () => {
    const old = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
    expect(form("Upsample", 7, { scales: [1, 1, 2, 2] })).toEqual({
      op: "Resize",
      attributes: { mode: "nearest", ...old },
      constants: [undefined, undefined, [1, 1, 2, 2]],
    });
    expect(form("Upsample", 9, { mode: "nearest" }, { lists: [[1, 1, 2, 2]] }).constants).toEqual([undefined, undefined, [1, 1, 2, 2]]);
    expect(form("Resize", 10, { mode: "nearest" }, { lists: [[1, 1, 2, 2]] })).toMatchObject({ op: "Resize", attributes: old });
    expect(form("Resize", 11, { mode: "nearest" })).toEqual({ op: "Resize", attributes: { mode: "nearest" }, constants: [undefined] });
  });

  test("Cast without what only other types mean", () => {
    expect(form("Cast", 19, { to: 1, saturate: 1 }).attributes).toEqual({ to: 1 });
  });

  test("a batch norm in training mode is refused", () => {
    expect(() => form("BatchNormalization", 9, {}, { outputs: 5 })).toThrow(
      "its 5 outputs mean training mode in opset 9: export in inference mode",
    );
  });
});
