import type { onnx } from "onnx-proto";
import { describe, expect, test } from "vitest";
import { float32 } from "../../core/tensor.ts";
import { type ParseOptions, parse, parseModel } from "../../export/parse.ts";
import { printNode } from "../../models/graph/print.ts";
import { withBatch } from "../../models/graph/with-batch.ts";
import { OPS } from "../../models/ops/index.ts";
import { difference, run } from "./graphs.ts";
import { floats, ints, node, onnxFile, port, sawtooth } from "./onnx-file.ts";

const lines = (bytes: Uint8Array, options: ParseOptions = {}): string[] =>
  parse(bytes, { file: "hand.onnx", ...options }).nodes.map((each) => printNode(each, OPS));
const batch = ints("zero", [0], []);

/** PyTorch's x.view(x.size(0), -1), and x.view(-1, c · h, w) from sizes. */
const flattened: onnx.INodeProto[] = [
  node("Shape", ["x"], "shape"),
  node("Gather", ["shape", "zero"], "n"),
  node("Unsqueeze", ["n"], "n1", { axes: [0] }),
  node("Constant", [], "rest", {}),
  node("Concat", ["n1", "rest"], "target", { axis: 0 }),
  node("Reshape", ["x", "target"], "y"),
].map((each) => (each.opType === "Constant" ? { ...each, attribute: [{ name: "value", type: 4, t: ints("", [-1]) }] } : each));

describe("shape arithmetic", () => {
  test("a flattening by the batch's size is one Reshape, for any batch", async () => {
    const bytes = onnxFile(flattened, { opset: 11, initializer: [batch] });
    expect(lines(bytes)).toEqual(["y = Reshape(x, target) → float32[N,32]"]);
    const graph = parse(bytes);
    expect(withBatch(graph, 5, OPS).outputs[0].shape).toEqual([5, 32]);
    const x = float32(sawtooth(64), [2, 2, 4, 4]);
    const [expected, found] = await Promise.all([run(bytes, { x }), run(graph, { x })]);
    expect(difference(found.y, expected.y)).toBe(0);
  });

  test("sizes are multiplied, divided, sliced, cast and compared", () => {
    const nodes = [
      node("Shape", ["x"], "shape"),
      node("Slice", ["shape", "one", "three"], "ch"),
      node("ReduceProd", ["ch"], "product", { keepdims: 1 }),
      node("Slice", ["shape", "zeros", "one"], "n"),
      node("Slice", ["shape", "three", "four"], "w"),
      node("Div", ["w", "two"], "half"),
      node("Cast", ["half"], "half32", { to: 6 }),
      node("Cast", ["half32"], "half64", { to: 7 }),
      node("Equal", ["half64", "two"], "equal"),
      node("Where", ["equal", "two", "minus"], "chosen"),
      node("Concat", ["n", "product", "chosen", "minus"], "target", { axis: 0 }),
      node("Reshape", ["x", "target"], "y"),
    ];
    const initializer = [
      ints("zeros", [0]),
      ints("one", [1]),
      ints("two", [2]),
      ints("three", [3]),
      ints("four", [4]),
      ints("minus", [-1]),
    ];
    expect(lines(onnxFile(nodes, { initializer }))).toEqual(["y = Reshape(x, target) → float32[N,8,2,2]"]);
  });

  test("a class token is repeated with the batch: zeros of as many rows are added", async () => {
    const nodes = [
      node("Reshape", ["x", "tokens"], "t"),
      node("Shape", ["x"], "shape"),
      node("Gather", ["shape", "first"], "n"),
      node("Concat", ["n", "rest"], "target", { axis: 0 }),
      node("Expand", ["class", "target"], "many"),
      node("Concat", ["many", "t"], "y", { axis: 1 }),
    ];
    const initializer = [ints("tokens", [-1, 4, 8]), ints("first", [0]), ints("rest", [1, 8]), floats("class", [1, 1, 8])];
    const bytes = onnxFile(nodes, { initializer });
    const graph = parse(bytes);
    expect(graph.outputs[0].shape).toEqual(["N", 5, 8]);
    const x = float32(sawtooth(96), [3, 2, 4, 4]);
    const [expected, found] = await Promise.all([run(bytes, { x }), run(graph, { x })]);
    expect(difference(found.y, expected.y)).toBe(0);
  });

  test("constants that are turned and cast are constants, where that is asked for", () => {
    const nodes = [
      node("Flatten", ["x"], "flat"),
      node("Identity", ["w"], "same"),
      node("Transpose", ["same"], "turned", { perm: [1, 0] }),
      node("MatMul", ["flat", "turned"], "y"),
    ];
    const bytes = onnxFile(nodes, { initializer: [floats("w", [3, 32])] });
    expect(lines(bytes, { foldConstants: true })).toEqual(["flat = Flatten(x) → float32[N,32]", "y = MatMul(flat, turned) → float32[N,3]"]);
    expect(lines(bytes).length).toBe(4);
  });

  test("what needs the batch's number is refused by its node", () => {
    const nodes = [
      node("Shape", ["x"], "shape"),
      node("Cast", ["shape"], "f", { to: 1 }),
      node("Gather", ["f", "zero"], "n"),
      node("Mul", ["x", "n"], "y"),
    ];
    expect(() => parse(onnxFile(nodes, { initializer: [batch] }), "hand.onnx")).toThrow(
      "hand.onnx: node 'y' (Mul) reads 'n': [N] depends on the batch, N, which is not known before it runs",
    );
  });
});

describe("a fixed batch", () => {
  const one = { input: [port("x", [1, 2, 4, 4])] };
  const free = (nodes: onnx.INodeProto[], initializer: onnx.ITensorProto[] = []) =>
    lines(onnxFile(nodes, { ...one, initializer }), { freeBatch: true });

  test("is kept where nothing else is asked for", () => {
    expect(parseModel(onnxFile([node("Relu", ["x"], "y")], one)).graph.outputs[0].shape).toEqual([1, 2, 4, 4]);
  });

  test.each<[string, number[], string]>([
    ["[1, 32]", [1, 32], "N,32"],
    ["[1, -1]", [1, -1], "N,32"],
    ["[1, 8, 4]", [1, 8, 4], "N,8,4"],
    ["[0, 32]", [0, 32], "N,32"],
    ["[-1, 32]", [-1, 32], "N,32"],
    ["[2, 16], the channels behind the batch", [2, 16], "2N,16"],
    ["[32], all that an image has", [32], "32N"],
  ])("a Reshape to %s", (_what, target, shape) => {
    expect(free([node("Reshape", ["x", "to"], "y")], [ints("to", target)])).toEqual([expect.stringContaining(`→ float32[${shape}]`)]);
  });

  describe("a Gather from all that an image has, in one row", () => {
    const gather = (indices: number[], dims: number[]) =>
      [
        [node("Reshape", ["x", "to"], "flat"), node("Gather", ["flat", "at"], "y")],
        [ints("to", [32]), ints("at", indices, dims)],
      ] as const;
    const order = Array.from({ length: 32 }, (_, i) => i);

    test("in order, as PyTorch's newer exporter writes a view: a Reshape, of any batch", () => {
      const [nodes, constants] = gather(order, [1, 8, 2, 2]);
      const found = free([...nodes], [...constants]);
      expect(found.at(-1)).toMatch(/ Reshape.*→ float32\[N,8,2,2\]/);
      expect(lines(onnxFile([...nodes], { ...one, initializer: [...constants] })).at(-1)).toMatch(/ Reshape.*→ float32\[1,8,2,2\]/);
    });

    test.each<[string, number[]]>([
      ["in another order", [1, 0, ...order.slice(2)]],
      ["a part of it", order.slice(0, 16)],
    ])("%s it stays a Gather", (_what, indices) => {
      const [nodes, constants] = gather(indices, [1, indices.length]);
      expect(lines(onnxFile([...nodes], { ...one, initializer: [...constants] })).at(-1)).toMatch(/ Gather/);
    });
  });

  test("a Reshape that divides the batch is refused", () => {
    const bytes = onnxFile([node("Reshape", ["x", "to"], "y")], { input: [port("x", [4, 2, 4, 4])], initializer: [ints("to", [2, 64])] });
    expect(() => lines(bytes, { freeBatch: true })).toThrow(
      /^hand\.onnx: node 'y' \(Reshape\): \[N,2,4,4\] does not reshape to \[2,64\].* The file takes 4 images at a time, and this node cannot be freed of that number\. To fix: export it with a dynamic batch axis\.$/,
    );
  });

  test.each([1, 2])("of %i that is merged with heads and with positions, as attention has it, is taken out again", async (fixed) => {
    const to = { heads: [4, 2 * fixed, 4], apart: [fixed, 2, 4, 4], merged: [4 * fixed, 8], back: [4, fixed, 8] };
    const nodes = [
      node("Reshape", ["x", "start"], "s"),
      node("Transpose", ["s"], "positions", { perm: [1, 0, 2] }),
      node("Reshape", ["positions", "heads"], "h"),
      node("Transpose", ["h"], "first", { perm: [1, 0, 2] }),
      node("Reshape", ["first", "apart"], "a"),
      node("Softmax", ["a"], "soft"),
      node("Transpose", ["soft"], "order", { perm: [2, 0, 1, 3] }),
      node("Reshape", ["order", "merged"], "m"),
      node("MatMul", ["m", "w"], "product"),
      node("Reshape", ["product", "back"], "b"),
      node("Transpose", ["b"], "y", { perm: [1, 0, 2] }),
    ];
    const lists = Object.entries({ start: [fixed, 4, 8], ...to }).map(([name, list]) => ints(name, list));
    const bytes = onnxFile(nodes, { input: [port("x", [fixed, 2, 4, 4])], initializer: [...lists, floats("w", [8, 8])] });
    const { graph } = parseModel(bytes, { freeBatch: true });
    const shapes = new Map(graph.nodes.map(({ outputs: [value] }) => [value.name, String(value.shape)]));
    expect(["h", "a", "m", "y"].map((name) => shapes.get(name))).toEqual(["4,2N,4", "N,2,4,4", "4N,8", "N,4,8"]);
    const x = float32(sawtooth(3 * fixed * 32), [3 * fixed, 2, 4, 4]);
    const { y } = await run(graph, { x });
    for (let i = 0; i < 3; i++) {
      const part = float32(Array.from(x.data.subarray(i * fixed * 32, (i + 1) * fixed * 32)), [fixed, 2, 4, 4]);
      const { y: alone } = await run(bytes, { x: part });
      expect(
        difference(float32(Array.from(y.data.slice(i * fixed * 32, (i + 1) * fixed * 32), Number), [fixed, 4, 8]), alone),
      ).toBeLessThan(1e-6);
    }
  });

  test("behind a Transpose the batch is found by the elements before it", () => {
    const nodes = [node("Transpose", ["x"], "t", { perm: [1, 0, 2, 3] }), node("Reshape", ["t", "to"], "y")];
    expect(free(nodes, [ints("to", [2, 1, 16])])[1]).toContain("→ float32[2,N,16]");
  });

  test("another batch than 1", () => {
    const bytes = onnxFile([node("Reshape", ["x", "to"], "y")], { input: [port("x", [4, 2, 4, 4])], initializer: [ints("to", [4, 32])] });
    const { graph, fixedBatch } = parseModel(bytes, { freeBatch: true });
    expect([graph.outputs[0].shape, fixedBatch]).toEqual([["N", 32], 4]);
  });

  test("a constant that was written for one image is put beside each", () => {
    const nodes = [node("Reshape", ["x", "to"], "t"), node("Concat", ["class", "t"], "y", { axis: 1 })];
    expect(free(nodes, [ints("to", [1, 4, 8]), floats("class", [1, 1, 8])]).at(-1)).toContain("→ float32[N,5,8]");
  });
});
