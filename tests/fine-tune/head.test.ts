import type { onnx } from "onnx-proto";
import { describe, expect, test } from "vitest";
import { networkOf } from "../../export/import-model.ts";
import { finalOutput } from "../../models/end-of-graph.ts";
import { printNode } from "../../models/graph/print.ts";
import { layersOf } from "../../models/learned.ts";
import { OPS } from "../../models/ops/index.ts";
import { floats, ints, node, onnxFile, port } from "../export/onnx-file.ts";
import { imported, smallFile } from "./files.ts";

const names = ["a", "b", "c"];
/** The last lines of a network for three classes. */
const endOf = (bytes: Uint8Array, features?: string): string[] =>
  networkOf(imported(bytes, features), { name: "small", classNames: names })
    .network.graph.nodes.slice(-3)
    .map((each) => printNode(each, OPS));
const map = [port("x", ["N", 3, 8, 8])];
const pointwise = [node("Conv", ["x", "w"], "c", { kernel_shape: [1, 1] })];
const w = [floats("w", [5, 3, 1, 1]), floats("six", [], [6]), floats("zero", [], [0])];
const pooled: onnx.INodeProto[] = [node("GlobalAveragePool", ["r"], "p"), node("Flatten", ["p"], "y")];

describe("where the head goes", () => {
  test("in place of the last Gemm", () => {
    expect(endOf(smallFile()).slice(-2)).toEqual([
      "flat = Flatten(pool) → float32[N,6]",
      "head = Gemm(flat, head.weight, head.bias) {transB=1} → float32[N,3]",
    ]);
  });

  test("in place of MatMul and Add, and of a softmax behind them", () => {
    const end = [node("MatMul", ["flat", "m"], "product"), node("Add", ["product", "fc.bias"], "sum"), node("Softmax", ["sum"], "y")];
    expect(endOf(smallFile({ end, initializer: [floats("m", [6, 4])] })).at(-1)).toBe(
      "head = Gemm(flat, head.weight, head.bias) {transB=1} → float32[N,3]",
    );
  });

  test.each(["Sigmoid", "LogSoftmax"])("in place of one class's score, and of %s behind it", (op) => {
    const end = [
      node("MatMul", ["flat", "m"], "product"),
      node("Add", ["product", "b"], "sum"),
      node(op, ["sum"], "p"),
      node("Identity", ["p"], "y"),
    ];
    expect(endOf(smallFile({ end, initializer: [floats("m", [6, 1]), floats("b", [1])] })).slice(-2)).toEqual([
      "flat = Flatten(pool) → float32[N,6]",
      "head = Gemm(flat, head.weight, head.bias) {transB=1} → float32[N,3]",
    ]);
  });

  test("in place of the last 1×1 convolution before a global pool, relu and softmax between and behind them", () => {
    const nodes = [
      ...pointwise,
      node("Relu", ["c"], "r"),
      node("GlobalAveragePool", ["r"], "p"),
      node("Flatten", ["p"], "f"),
      node("Softmax", ["f"], "y"),
    ];
    expect(endOf(onnxFile(nodes, { input: map, initializer: w }))).toEqual([
      "head/pool = GlobalAveragePool(images) → float32[N,3,1,1]",
      "head/features = Flatten(head/pool) → float32[N,3]",
      "head = Gemm(head/features, head.weight, head.bias) {transB=1} → float32[N,3]",
    ]);
  });

  test("in place of a 1×1 convolution behind the pool", () => {
    const nodes = [
      node("ReduceMean", ["x"], "p", { axes: [2, 3] }),
      node("Conv", ["p", "w"], "c", { kernel_shape: [1, 1] }),
      node("Flatten", ["c"], "y"),
    ];
    expect(endOf(onnxFile(nodes, { input: map, initializer: w })).at(-2)).toBe("head/features = Flatten(p) → float32[N,3]");
  });

  test("behind the output, where another activation makes features of the 1×1 convolution", () => {
    const nodes = [...pointwise, node("Clip", ["c", "zero", "six"], "r"), ...pooled];
    expect(endOf(onnxFile(nodes, { input: map, initializer: w })).slice(-2)).toEqual([
      "y = Flatten(p) → float32[N,5]",
      "head = Gemm(y, head.weight, head.bias) {transB=1} → float32[N,3]",
    ]);
  });

  test("behind the output, where its name says that it is features", () => {
    const nodes = [...pointwise, node("Relu", ["c"], "r"), node("GlobalAveragePool", ["r"], "p"), node("Flatten", ["p"], "features")];
    const bytes = onnxFile(nodes, { input: map, initializer: w, output: [port("features", ["N", 5])] });
    expect(endOf(bytes).at(-2)).toBe("features = Flatten(p) → float32[N,5]");
  });

  test("behind a linear layer that relu follows", () => {
    const end = [node("Gemm", ["flat", "fc.weight", "fc.bias"], "g", { transB: 1 }), node("Relu", ["g"], "y")];
    expect(endOf(smallFile({ end })).at(-2)).toBe("y = Relu(g) → float32[N,4]");
  });

  test("at a value by its name: a map is averaged", () => {
    expect(endOf(smallFile(), "r1").slice(-3)).toEqual([
      "head/pool = GlobalAveragePool(r1) → float32[N,4,1,1]",
      "head/features = Flatten(head/pool) → float32[N,4]",
      "head = Gemm(head/features, head.weight, head.bias) {transB=1} → float32[N,3]",
    ]);
    expect(() => imported(smallFile(), "r3")).toThrow(
      /^features: 'hand' computes no value 'r3'\. The nearest names: .*r1.* To fix: choose a name that inspect shows\.$/,
    );
  });

  test("hidden layers with dropout", () => {
    const { network, headLayers } = networkOf(imported(smallFile()), {
      name: "small",
      classNames: names,
      head: { hidden: [5], dropout: 0.2 },
    });
    expect(headLayers).toBe(2);
    expect(network.graph.nodes.slice(-4).map(({ op }) => op)).toEqual(["Gemm", "Relu", "Dropout", "Gemm"]);
    expect(network.graph.outputs[0].shape).toEqual(["N", 3]);
  });

  test("a file that tells these very classes apart keeps its own; another name, or an asked for head, replaces it", () => {
    const model = imported(smallFile());
    const labels = ["a", "b", "c", "d"];
    const known = { ...model, metadata: { labels, preprocess: undefined as never, outputKind: "logits" as const } };
    expect(networkOf(known, { name: "small", classNames: labels })).toMatchObject({ keepsHead: true, headLayers: 1 });
    expect(networkOf(known, { name: "small", classNames: ["a", "b", "c", "e"] }).keepsHead).toBe(false);
    expect(networkOf(known, { name: "small", classNames: labels, head: { hidden: [] } }).keepsHead).toBe(false);
  });

  test.each([
    ["Softmax", "Reshape"],
    ["LogSoftmax", "Identity"],
    ["Sigmoid", "Reshape"],
  ])("a head that is kept trains by its logits, whatever form %s and %s give them", (op, form) => {
    const behind = [
      node("Gemm", ["flat", "fc.weight", "fc.bias"], "z", { transB: 1 }),
      node(op, ["z"], "p"),
      node(form, ["p", ...(form === "Reshape" ? ["to"] : [])], "y"),
    ];
    const model = imported(smallFile({ end: behind, initializer: [ints("to", [-1, 4])] }));
    const labels = ["a", "b", "c", "d"];
    const metadata = { labels, preprocess: undefined as never, outputKind: "probabilities" as const };
    const { network, keepsHead } = networkOf({ ...model, metadata }, { name: "small", classNames: labels });
    expect(keepsHead).toBe(true);
    expect(network.graph.nodes.map((each) => each.op)).not.toContain(op);
    expect(finalOutput(network.graph)).toBe("logits");
    expect(network.graph.outputs[0].shape).toEqual(["N", 4]);
  });
});

describe("what is learned", () => {
  test("weights, biases and norms in layers; neither statistics nor what is before the first weights", () => {
    const { network } = networkOf(imported(smallFile()), { name: "small", classNames: names });
    expect(layersOf(network).map((layer) => layer.map(({ name }) => name))).toEqual([
      ["c1.weight", "b1.weight", "b1.bias"],
      ["c2.weight", "c2.bias", "b2.weight", "b2.bias"],
      ["head.weight", "head.bias"],
    ]);
    const nodes = [
      node("Mul", ["x", "scale"], "s"),
      node("Conv", ["s", "w"], "c", { kernel_shape: [1, 1] }),
      node("Mul", ["c", "layer"], "l"),
      node("Mul", ["l", "half"], "h"),
      node("Relu", ["h"], "r"),
      node("MaxPool", ["r"], "m", { kernel_shape: [8, 8] }),
      node("Flatten", ["m"], "y"),
    ];
    const initializer = [floats("w", [5, 3, 1, 1]), floats("scale", [3, 1, 1]), floats("layer", [5, 1, 1]), floats("half", [1])];
    const other = networkOf(imported(onnxFile(nodes, { input: map, initializer })), { name: "x", classNames: names }).network;
    expect([...other.parameters.keys()].map(({ name }) => name)).toEqual(["w", "layer", "head.weight", "head.bias"]);
  });

  test("equal tensors that a writer keeps as one are trained each by itself", () => {
    const nodes = [
      node("Conv", ["x", "w", "zeros"], "a", { kernel_shape: [1, 1] }),
      node("BatchNormalization", ["a", "ones", "zeros", "zeros", "ones"], "b"),
      node("Identity", ["w"], "same"),
      node("Conv", ["b", "same", "zeros"], "c", { kernel_shape: [1, 1] }),
      node("MaxPool", ["c"], "m", { kernel_shape: [8, 8] }),
      node("Flatten", ["m"], "y"),
    ];
    const initializer = [floats("w", [3, 3, 1, 1]), floats("zeros", [3], [0, 0, 0]), floats("ones", [3], [1, 1, 1])];
    const { network } = networkOf(imported(onnxFile(nodes, { input: map, initializer })), { name: "x", classNames: names });
    expect([...network.parameters.keys()].map(({ name }) => name)).toEqual([
      "w",
      "zeros",
      "ones",
      "zeros_2",
      "w_2",
      "zeros_4",
      "head.weight",
      "head.bias",
    ]);
  });

  test("images with the channels last: the network takes them first, and the file's own Transpose goes", () => {
    const nodes = [
      node("Transpose", ["x"], "t", { perm: [0, 3, 1, 2] }),
      node("Conv", ["t", "w"], "c", { kernel_shape: [1, 1] }),
      node("Relu", ["c"], "r"),
      ...pooled,
    ];
    const model = imported(onnxFile(nodes, { input: [port("x", ["N", 8, 6, 3])], initializer: w }));
    expect(model.input).toEqual([3, 8, 6]);
    expect(model.graph.nodes.map(({ op }) => op)).toEqual(["Conv", "Relu", "GlobalAveragePool", "Flatten"]);
    const used = imported(
      onnxFile([node("ReduceMean", ["x"], "y", { axes: [1, 2], keepdims: 0 })], { input: [port("x", ["N", 8, 6, 3])] }),
    );
    expect(used.graph.nodes.map(({ op }) => op)).toEqual(["Transpose", "ReduceMean"]);
  });
});

describe("a class token", () => {
  /** [N, 3, 8, 8] → four patches of 6 numbers, behind a token and positions. */
  const sequence = (joined: onnx.INodeProto[], more: onnx.ITensorProto[] = []) =>
    onnxFile(
      [
        node("Conv", ["x", "w"], "c", { kernel_shape: [4, 4], strides: [4, 4] }),
        node("Reshape", ["c", "flat"], "f"),
        node("Transpose", ["f"], "patches", { perm: [0, 2, 1] }),
        ...joined,
        node("Gather", ["all", "first"], "one", { axis: 1 }),
        node("Gemm", ["one", "fc"], "y"),
      ],
      {
        input: map,
        initializer: [floats("w", [6, 3, 4, 4]), floats("fc", [6, 4]), ints("flat", [0, 6, -1]), ints("first", [0], []), ...more],
      },
    );
  const repeated = [
    node("Shape", ["x"], "shape"),
    node("Gather", ["shape", "zero"], "n"),
    node("Concat", ["n", "rest"], "target", { axis: 0 }),
    node("Expand", ["token", "target"], "tokens"),
  ];
  const lists = [ints("zero", [0]), ints("rest", [1, 6])];
  const learned = (bytes: Uint8Array) =>
    [...networkOf(imported(bytes), { name: "x", classNames: names }).network.parameters.keys()].map(({ name }) => name);

  test("that is repeated for each image is learned, zeros too, and positions with it", () => {
    const joined = [...repeated, node("Concat", ["tokens", "patches"], "joined", { axis: 1 }), node("Add", ["joined", "positions"], "all")];
    for (const numbers of [undefined, Array<number>(6).fill(0)])
      expect(learned(sequence(joined, [...lists, floats("token", [1, 1, 6], numbers), floats("positions", [1, 5, 6])]))).toEqual([
        "w",
        "token",
        "positions",
        "head.weight",
        "head.bias",
      ]);
  });

  test("what is joined to a map is none", () => {
    const coordinates = [
      node("Concat", ["many", "x"], "xy", { axis: 1 }),
      node("Conv", ["xy", "w"], "c", { kernel_shape: [1, 1] }),
      node("GlobalAveragePool", ["c"], "p"),
      node("Flatten", ["p"], "y"),
    ];
    const nodes = [
      node("Shape", ["x"], "shape"),
      node("Gather", ["shape", "zero"], "n"),
      node("Concat", ["n", "rest"], "target", { axis: 0 }),
      node("Expand", ["places", "target"], "many"),
      ...coordinates,
    ];
    const initializer = [floats("places", [1, 2, 8, 8]), floats("w", [4, 5, 1, 1]), ints("zero", [0]), ints("rest", [2, 8, 8])];
    expect(learned(onnxFile(nodes, { input: map, initializer }))).toEqual(["head.weight", "head.bias"]);
  });
});

describe("what is refused", () => {
  const linear = [node("Flatten", ["x"], "f"), node("Gemm", ["f", "m"], "y")];
  const cases: [string, Uint8Array, string][] = [
    [
      "no image input",
      onnxFile([node("Gemm", ["x", "m"], "y")], { input: [port("x", ["N", 7])], initializer: [floats("m", [7, 2])] }),
      "small.onnx: expected images, float32[N,C,H,W] or float32[N,H,W,C] of 1 or 3 channels, as its input, found 'x' float32[N,7]",
    ],
    [
      "no input at all",
      onnxFile([node("Relu", ["c"], "y")], { input: [], initializer: [floats("c", [2])] }),
      "small.onnx: expected one input, the images, found 0",
    ],
    [
      "two inputs",
      onnxFile([node("Add", ["x", "z"], "y")], { input: [port("x", ["N", 3, 4, 4]), port("z", ["N", 3, 4, 4])] }),
      "small.onnx: expected one input, the images, found 2: x, z",
    ],
    [
      "two outputs",
      onnxFile([...linear, node("Relu", ["y"], "z")], {
        initializer: [floats("m", [192, 2])],
        input: map,
        output: [port("y", ["N", 2]), port("z", ["N", 2])],
      }),
      "small.onnx: expected one output, the classes or the features, found 2: y, z",
    ],
    [
      "a map as its output",
      onnxFile([node("Relu", ["x"], "y")], { input: map }),
      "small.onnx: a head reads a vector for each image, [N,D]; the output 'y' is float32[N,3,8,8]",
    ],
    [
      "the batch merged with what an image has",
      onnxFile([node("Reshape", ["x", "to"], "y")], { input: map, initializer: [ints("to", [-1, 64])] }),
      "small.onnx: a head reads a vector for each image, [N,D]; the output 'y' is float32[3N,64]",
    ],
    [
      "one number for each image, whose layer is not known",
      onnxFile([node("ReduceMean", ["x"], "m", { axes: [1, 2, 3], keepdims: 0 }), node("Unsqueeze", ["m", "one"], "y")], {
        input: map,
        initializer: [ints("one", [1])],
      }),
      "small.onnx: a head reads features, of which one number for each image is too few: 'y' is float32[N,1]. To fix: name an earlier value",
    ],
    [
      "an unknown operator, before anything else",
      onnxFile([node("Einsum", ["x"], "e"), ...linear], { input: map, initializer: [floats("m", [192, 2])] }),
      "small.onnx: node 'e' (Einsum): this operator is not supported (opset 17)",
    ],
    [
      "shapes that contradict themselves",
      onnxFile(linear, { input: map, initializer: [floats("m", [7, 2])] }),
      "small.onnx: node 'y' (Gemm): inner dimensions differ: 192 and 7",
    ],
    [
      "a fixed batch that cannot be freed",
      onnxFile([node("Reshape", ["x", "to"], "y")], {
        input: [port("x", [2, 3, 8, 8])],
        initializer: [{ name: "to", dataType: 7, dims: [2], int64Data: [3, 128] }],
      }),
      "small.onnx: node 'y' (Reshape): [N,3,8,8] does not reshape to [3,128]",
    ],
  ];
  test.each(cases)("%s", (_what, bytes, message) => {
    expect(() => imported(bytes)).toThrow(message);
  });
});
