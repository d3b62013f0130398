import { describe, expect, test } from "vitest";
import { float32, int64, numbersOf, type Tensor } from "../../core/tensor.ts";
import { differentiate } from "../../models/autodiff.ts";
import type { Attributes } from "../../models/graph/graph.ts";
import { graphBuilder, type OpName } from "../../models/ops/index.ts";
import { fromTensor } from "../reference/array.ts";
import { interpret } from "../reference/interpret.ts";

/** dL/dx at x for L = Σ dy · op(x, …): the graph's gradient, run in float64. */
function gradientAt(
  op: OpName,
  x: Tensor,
  dy: readonly number[],
  attributes: Attributes = {},
  others: readonly (Tensor | undefined)[] = [],
): number[] {
  const g = graphBuilder();
  const input = g.input("x", "float32", x.shape);
  const y = g.add(op, [input, ...others.map((t) => t && g.initializer("other", t))], attributes);
  const weights = g.initializer("dy", float32(dy, y.shape as readonly number[]));
  const loss = g.add("ReduceSum", [g.add("Mul", [y, weights])], { keepdims: 0 });
  const dx = differentiate(g, g.build("forward", []).nodes, loss, [input]).get(input)!;
  return numbersOf({ dtype: "float64", shape: x.shape, data: interpret(g.build("gradient", [dx]), { x: fromTensor(x) }).get(dx)!.data });
}

const image = (...rows: readonly (readonly number[])[]): Tensor => float32(rows.flat(), [1, 1, rows.length, rows[0].length]);
const pool = (kernel: number, stride: number, pad = 0): Attributes => ({
  kernel_shape: [kernel, kernel],
  strides: [stride, stride],
  pads: [pad, pad, pad, pad],
});

describe("MaxPool sends a tie's gradient to the first maximum of the window, row by row", () => {
  test("a constant image, 2×2 s2", () => {
    const x = image([7, 7, 7, 7], [7, 7, 7, 7]);
    expect(gradientAt("MaxPool", x, [1, 2], pool(2, 2))).toEqual([1, 0, 2, 0, 0, 0, 0, 0]);
  });

  test("an earlier row wins over an earlier column", () => {
    expect(gradientAt("MaxPool", image([0, 5], [5, 5]), [3], pool(2, 2))).toEqual([0, 3, 0, 0]);
    expect(gradientAt("MaxPool", image([0, 1], [5, 5]), [3], pool(2, 2))).toEqual([0, 0, 3, 0]);
  });

  test("a constant image, overlapping windows, 3×3 s1: each window's own corner", () => {
    const x = image(...Array.from({ length: 4 }, () => [2, 2, 2, 2]));
    expect(gradientAt("MaxPool", x, [1, 2, 3, 4], pool(3, 1))).toEqual([1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("overlapping windows add up where they share their first maximum, 3×3 s2", () => {
    const x = image([0, 0, 9, 0, 0], [0, 0, 9, 0, 0], [0, 9, 0, 0, 0]);
    expect(gradientAt("MaxPool", x, [10, 1], pool(3, 2))).toEqual([0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("padding never wins: a constant negative image, 3×3 s2 p1", () => {
    const x = image(...Array.from({ length: 4 }, () => [-1, -1, -1, -1]));
    expect(gradientAt("MaxPool", x, [1, 2, 3, 4], pool(3, 2, 1))).toEqual([1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test("a constant border around a peak, 3×3 s1 p1, as in Fashion-MNIST", () => {
    const x = image([0, 0, 0], [0, 0, 0], [0, 0, 1]);
    const dy = [1, 10, 100, 1000, 1e4, 1e5, 1e6, 1e7, 1e8];
    expect(gradientAt("MaxPool", x, dy, pool(3, 1, 1))).toEqual([1011, 100, 0, 1e6, 0, 0, 0, 0, 1e4 + 1e5 + 1e7 + 1e8]);
  });

  test("channels and images keep apart", () => {
    const x = float32(Array(16).fill(1), [2, 2, 2, 2]);
    expect(gradientAt("MaxPool", x, [1, 2, 3, 4], pool(2, 2))).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]);
  });
});

describe("kinks", () => {
  test("Relu's derivative at 0 is 0", () => {
    expect(gradientAt("Relu", float32([-1, 0, -0, 2]), [5, 5, 5, 5])).toEqual([0, 0, 0, 5]);
  });

  test("Clip's derivative is 1 on its bounds", () => {
    const x = float32([-1.5, -1, 0, 2, 2.5]);
    expect(gradientAt("Clip", x, [1, 2, 3, 4, 5], {}, [float32([-1], []), float32([2], [])])).toEqual([0, 2, 3, 4, 0]);
    expect(gradientAt("Clip", x, [1, 2, 3, 4, 5], {}, [undefined, float32([2], [])])).toEqual([1, 2, 3, 4, 0]);
  });
});

describe("kinks of the other activations", () => {
  test("Abs: 0 at 0", () => {
    expect(gradientAt("Abs", float32([-2, 0, 3]), [5, 5, 5])).toEqual([-5, 0, 5]);
  });

  test("LeakyRelu, Elu and PRelu at 0: the slope from below", () => {
    expect(gradientAt("LeakyRelu", float32([-1, 0, 1]), [4, 4, 4], { alpha: 0.25 })).toEqual([1, 1, 4]);
    expect(gradientAt("Elu", float32([0, 1]), [4, 4], { alpha: 0.5 })).toEqual([2, 4]);
    expect(gradientAt("PRelu", float32([-1, 0, 1]), [4, 4, 4], {}, [float32([0.25])])).toEqual([1, 1, 4]);
  });

  test("HardSigmoid: 0 where it has just reached 0 or 1; HardSwish: the slope from outside", () => {
    expect(gradientAt("HardSigmoid", float32([-2, 0, 2]), [4, 4, 4], { alpha: 0.25 })).toEqual([0, 1, 0]);
    expect(gradientAt("HardSwish", float32([-3, 3]), [4, 4])).toEqual([0, 4]);
  });

  test("ReduceL2: 0 for a vector of zeros", () => {
    expect(gradientAt("ReduceL2", float32([0, 0, 3, 4], [2, 2]), [5, 5], { keepdims: 0 }, [int64([1])])).toEqual([0, 0, 3, 4]);
  });
});

describe("Max, Min and GlobalMaxPool send a tie's gradient to the first", () => {
  test("of two inputs", () => {
    expect(gradientAt("Max", float32([1, 2, 3]), [5, 6, 7], {}, [float32([2, 2, 2])])).toEqual([0, 6, 7]);
    expect(gradientAt("Min", float32([1, 2, 3]), [5, 6, 7], {}, [float32([2, 2, 2])])).toEqual([5, 6, 0]);
  });

  test("nothing is left for an input that comes later", () => {
    const g = graphBuilder();
    const [a, b, c] = ["a", "b", "c"].map((name) => g.input(name, "float32", [2]));
    const loss = g.add("ReduceSum", [g.add("Max", [a, b, c])], { keepdims: 0 });
    const gradients = differentiate(g, g.build("forward", []).nodes, loss, [a, b, c]);
    const values = interpret(g.build("gradient", [...gradients.values()]), {
      a: fromTensor(float32([1, 0])),
      b: fromTensor(float32([2, 3])),
      c: fromTensor(float32([2, 4])),
    });
    expect([a, b, c].map((x) => Array.from(values.get(gradients.get(x)!)!.data))).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
    ]);
  });

  test("of a channel's pixels, row by row", () => {
    expect(gradientAt("GlobalMaxPool", image([1, 4], [4, 4]), [3])).toEqual([0, 3, 0, 0]);
  });
});

describe("ReduceMax sends a tie's gradient to the first maximum in row order", () => {
  test("along the last axis", () => {
    const x = float32([1, 3, 3, 2, 2, 2], [2, 3]);
    expect(gradientAt("ReduceMax", x, [5, 7], { keepdims: 0 }, [int64([-1])])).toEqual([0, 5, 0, 7, 0, 0]);
  });

  test("along the first axis", () => {
    const x = float32([4, 1, 4, 4], [2, 2]);
    expect(gradientAt("ReduceMax", x, [5, 7], {}, [int64([0])])).toEqual([5, 0, 0, 7]);
  });

  test("over all axes", () => {
    expect(gradientAt("ReduceMax", float32([0, 6, 6, 6], [2, 2]), [5], { keepdims: 0 })).toEqual([0, 5, 0, 0]);
  });

  test("over two axes that are not neighbours", () => {
    const x = float32([1, 8, 2, 2, 8, 8, 2, 1], [2, 2, 2]); // for the middle axis' 0: 1 8 | 8 8, for its 1: 2 2 | 2 1
    expect(gradientAt("ReduceMax", x, [5, 7], { keepdims: 0 }, [int64([2, 0])])).toEqual([0, 5, 7, 0, 0, 0, 0, 0]);
  });
});
