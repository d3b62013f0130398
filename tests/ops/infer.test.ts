import { describe, expect, test } from "vitest";
import { ShapeError } from "../../core/errors.ts";
import { float32, int64, type Tensor, tensor, zeros } from "../../core/tensor.ts";
import { type Attributes, type Dimension, knownShape, type Value } from "../../models/graph/graph.ts";
import { printType } from "../../models/graph/print.ts";
import { withBatch } from "../../models/graph/with-batch.ts";
import { graphBuilder, OPS, type OpName } from "../../models/ops/index.ts";
import { OP_NAMES } from "./build.ts";
import { BAD } from "./cases/bad.ts";
import { CASES } from "./cases.ts";

type Input = readonly Dimension[] | Tensor | undefined;

const isTensor = (input: Input): input is Tensor => input !== undefined && "dtype" in input;

/** The output types of one node called 'bad' whose inputs are float32 values of these shapes, or initializers. */
function inferred(op: string, inputs: readonly Input[], attributes: Attributes = {}): string[] {
  const g = graphBuilder();
  const values = inputs.map((input, i): Value | undefined => {
    if (!input) return undefined;
    return isTensor(input) ? g.initializer(`x${i}`, input) : g.input(`x${i}`, "float32", input);
  });
  return g.addAll(op, values, attributes, "bad").map(printType);
}

const printShape = (input: readonly Dimension[] | Tensor): string => (isTensor(input) ? `(${input.data})` : `[${input}]`);

function thrownBy(f: () => unknown): unknown {
  try {
    f();
  } catch (thrown) {
    return thrown;
  }
  throw new Error("expected a ShapeError, and nothing was thrown");
}

describe.each(OP_NAMES)("%s refuses", (op) => {
  test.each(BAD[op])("$says", ({ inputs, attributes, says }) => {
    const thrown = thrownBy(() => inferred(op, inputs, attributes));
    expect(thrown).toBeInstanceOf(ShapeError);
    const { message } = thrown as ShapeError;
    expect(message.startsWith(`node 'bad' (${op}): `)).toBe(true);
    expect(message).toContain(says);
    inputs.forEach((input, i) => {
      if (input) expect(message).toContain(`x${i} ${isTensor(input) ? printType(input) : `float32[${input}]`}`);
    });
  });
});

test("an operator that does not exist is refused by its name", () => {
  expect(() => inferred("Einsum", [])).toThrow(new ShapeError("node 'bad': the operator Einsum is not supported"));
  expect(() => inferred("toString", [])).toThrow("the operator toString is not supported");
});

test("the whole message", () => {
  expect(() => inferred("Conv", [["N", 16, 8, 8], [16, 32, 3, 3], undefined], { kernel_shape: [3, 3] })).toThrow(
    new ShapeError(
      "node 'bad' (Conv): input channels: expected 32 (weight [16,32,3,3], group 1), received 16; its inputs: x0 float32[N,16,8,8], x1 float32[16,32,3,3], none",
    ),
  );
});

const square: Attributes = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };

/** A float32 input, by its shape. */
const x = (...shape: Dimension[]): readonly Dimension[] => shape;

const FLOWS: readonly (readonly [OpName, readonly Input[], Attributes, string])[] = [
  ["Conv", [x("N", 3, 8, 8), x(4, 3, 3, 3), x(4)], square, "N,4,4,4"],
  ["ConvTranspose", [x("N", 3, 4, 4), x(3, 2, 3, 3)], square, "N,2,7,7"],
  ["Gemm", [x("N", 12), x(10, 12), x(10)], { transB: 1 }, "N,10"],
  ["Gemm", [x(12, "N"), x(12, 10)], { transA: 1 }, "N,10"],
  ["Gemm", [x(10, 12), x("N", 12)], { transB: 1 }, "10,N"],
  ["Gemm", [x(10, "N"), x("N", 12)], {}, "10,12"],
  ["MatMul", [x("N", 2, 3), x(3, 4)], {}, "N,2,4"],
  ["MatMul", [x("N", 2, 3), x("N", 3, 4)], {}, "N,2,4"],
  ["Flatten", [x("N", 3, 2, 2)], {}, "N,12"],
  ["Flatten", [x("N", 1, 1, 5)], { axis: 3 }, "N,5"],
  ["Flatten", [x(2, 3, "N")], { axis: 2 }, "6,N"],
  ["Reshape", [x("N", 3, 2, 2), int64([0, -1])], {}, "N,12"],
  ["Reshape", [x("N", 3, 2, 2), int64([-1, 12])], {}, "N,12"],
  ["Reshape", [x("N", 12), int64([0, 3, -1, 2])], {}, "N,3,2,2"],
  ["Reshape", [x("N", 1, 1), int64([-1])], {}, "N"],
  ["Reshape", [x("N", 4), int64([-1])], {}, "4N"],
  ["Reshape", [x(17, "N", 8), int64([17, -1, 4])], {}, "17,2N,4"],
  ["Reshape", [x("2N", 17, 4), int64([-1, 2, 17, 4])], {}, "N,2,17,4"],
  ["Reshape", [x("6N", 8), int64([0, -1])], {}, "6N,8"],
  ["Flatten", [x("N", 3, 4)], { axis: 2 }, "3N,4"],
  ["Gemm", [x("6N", 8), x(8, 4)], {}, "6N,4"],
  ["Add", [x("6N", 8), x(8)], {}, "6N,8"],
  ["MaxPool", [x("N", 3, 7, 7)], square, "N,3,4,4"],
  ["AveragePool", [x("N", 3, 7, 7)], { ...square, ceil_mode: 1 }, "N,3,4,4"],
  ["GlobalAveragePool", [x("N", 3, 7, 7)], {}, "N,3,1,1"],
  ["BatchNormalization", [x("N", 3, 2), x(3), x(3), x(3), x(3)], {}, "N,3,2"],
  ["BatchMoments", [x("N", 3)], {}, "3"],
  ["Relu", [x("N", 3)], {}, "N,3"],
  ["Clip", [x("N", 3), []], {}, "N,3"],
  ["Add", [x("N", 3), x(3)], {}, "N,3"],
  ["Add", [x(3, 1), x("N", 1, 4)], {}, "N,3,4"],
  ["Mul", [x("N", 3), x("N", 1)], {}, "N,3"],
  ["Greater", [x(1, 3), x("N", 1)], {}, "N,3"],
  ["Softmax", [x("N", 10)], {}, "N,10"],
  ["ReduceMean", [x("N", 3, 4, 4), int64([2, 3])], { keepdims: 0 }, "N,3"],
  ["ReduceMean", [x("N", 3), int64([0])], {}, "1,3"],
  ["ReduceMax", [x("N", 3)], { keepdims: 0 }, ""],
  ["Concat", [x("N", 3, 4), x("N", 2, 4)], { axis: 1 }, "N,5,4"],
  ["Transpose", [x("N", 3, 4, 5)], { perm: [1, 2, 3, 0] }, "3,4,5,N"],
  ["Expand", [x("N", 1, 4), int64([1, 3, 1])], {}, "N,3,4"],
  ["Slice", [x("N", 8), int64([0]), int64([-2]), int64([1])], {}, "N,6"],
  ["Pad", [x("N", 3, 4), int64([0, 1, 0, 0, 0, 2])], {}, "N,4,6"],
  ["Gather", [x("N", 5), int64([0, -1])], { axis: 1 }, "N,2"],
  ["Gather", [x("N", 5), int64([0, 3])], { axis: 0 }, "2,5"],
  ["CumSum", [x("N", 5), int64([1], [])], {}, "N,5"],
  ["Dropout", [x("N", 5)], {}, "N,5"],
  ["Gather", [x("N", 5, 3), int64([0], [])], { axis: 1 }, "N,3"],
  ["Squeeze", [x("N", 3, 1, 1), int64([2, 3])], {}, "N,3"],
  ["Unsqueeze", [x("N", 3), int64([-1, 0])], {}, "1,N,3,1"],
  ["Split", [x("N", 5), int64([2, 3])], { axis: 1 }, "N,2"],
  ["Resize", [x("N", 3, 2, 4), undefined, float32([1, 1, 3, 2])], {}, "N,3,6,8"],
  ["LayerNormalization", [x("N", 5, 3), x(3)], {}, "N,5,3"],
  ["InstanceNormalization", [x("N", 3, 5), x(3), x(3)], {}, "N,3,5"],
  ["LRN", [x("N", 3, 2, 2)], { size: 3 }, "N,3,2,2"],
  ["GlobalMaxPool", [x("N", 3, 7, 7)], {}, "N,3,1,1"],
  ["PRelu", [x("N", 3, 2, 2), x(3, 1, 1)], {}, "N,3,2,2"],
  ["Max", [x("N", 3), [], x(1, 3)], {}, "N,3"],
  ["Where", [tensor("bool", [3], new Uint8Array(3)), x("N", 3), []], {}, "N,3"],
  ["MatMul", [x("N", 2, 3, 4), x("N", 2, 4, 3)], {}, "N,2,3,3"],
];

describe("the batch flows through", () => {
  test.each(FLOWS.map((flow) => [flow[0], flow[1].map((input) => input && printShape(input)).join(" "), flow] as const))(
    "%s of %s",
    (op, _, [, inputs, attributes, expected]) => {
      expect(inferred(op, inputs, attributes)[0]).toBe(`${op === "Greater" ? "bool" : "float32"}[${expected}]`);
    },
  );
});

const BATCHED = ["Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "BatchNormalization"] as const;

test.each(BATCHED)("withBatch gives every case of %s the types of a known batch", (op) => {
  for (const c of CASES[op]) {
    const g = graphBuilder();
    const [x, ...weights] = c.inputs;
    const images = g.input("images", "float32", ["N", ...x!.shape.slice(1)]);
    const outputs = g.addAll(op, [images, ...weights.map((t, i) => t && g.initializer(`weight${i}`, t))], c.attributes);
    expect(outputs[0].shape[0]).toBe("N");
    const bound = withBatch(g.build(op, outputs), x!.shape[0], OPS);
    expect(bound.outputs.map(printType)).toEqual(
      inferred(
        op,
        c.inputs.map((t) => t?.shape),
        c.attributes,
      ),
    );
  }
});

test("withBatch binds a whole graph and leaves its initializers and itself as they are", () => {
  const g = graphBuilder();
  const images = g.input("images", "float32", ["N", 2, 4, 4]);
  const weight = g.initializer("weight", zeros("float32", [3, 2, 3, 3]));
  const fc = g.initializer("fc", zeros("float32", [5, 12]));
  const features = g.add("Relu", [g.add("Conv", [images, weight], { kernel_shape: [3, 3] })]);
  const graph = g.build("network", [g.add("Gemm", [g.add("Flatten", [features]), fc], { transB: 1 }, "logits")]);
  const bound = withBatch(graph, 7, OPS);
  expect(bound.inputs.map((value) => value.shape)).toEqual([[7, 2, 4, 4]]);
  expect(bound.nodes.map((node) => knownShape(node.outputs[0]))).toEqual([
    [7, 3, 2, 2],
    [7, 3, 2, 2],
    [7, 12],
    [7, 5],
  ]);
  expect(bound.nodes.map(({ name, op }) => [name, op])).toEqual(graph.nodes.map(({ name, op }) => [name, op]));
  expect(bound.outputs[0].name).toBe("logits");
  expect([...bound.initializers.keys()]).toEqual([weight, fc]);
  expect(bound.initializers.get(weight)).toBe(graph.initializers.get(weight));
  expect(graph.outputs[0].shape).toEqual(["N", 5]);
  expect(() => knownShape(graph.outputs[0])).toThrow("the batch of 'logits' is unknown here: bind it with withBatch");
});

test("scalars of one number are one value, and names stay unique", () => {
  const g = graphBuilder();
  expect(g.scalar(0.5)).toBe(g.scalar(0.5));
  expect(g.scalar(0.5)).not.toBe(g.scalar(2));
  const names = [g.initializer("w", float32([1])), g.initializer("w", float32([2])), g.input("w", "float32", [])].map(
    (value) => value.name,
  );
  expect(names).toEqual(["w", "w_2", "w_3"]);
});
