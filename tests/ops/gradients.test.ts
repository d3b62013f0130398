import { describe, expect, test } from "vitest";
import { float32 } from "../../core/tensor.ts";
import { differentiate } from "../../models/autodiff.ts";
import type { GraphBuilder } from "../../models/graph/builder.ts";
import type { Value } from "../../models/graph/graph.ts";
import { printType } from "../../models/graph/print.ts";
import { graphBuilder, type OpName } from "../../models/ops/index.ts";
import { type Array64, fromTensor } from "../reference/array.ts";
import { interpret } from "../reference/interpret.ts";
import { addCase, addLoss, definitionOf, fedArrays, OP_NAMES, trainedInputs } from "./build.ts";
import { CASES } from "./cases.ts";
import { centralDifferences } from "./central-differences.ts";
import { largestError } from "./close.ts";

/** Compares dL/dx of each wanted value, from the gradient graph, with central differences of the forward graph. */
function compare(g: GraphBuilder, loss: Value, wanted: readonly Value[], feeds: Readonly<Record<string, Array64>>): void {
  const forward = g.build("forward", [loss]);
  const gradients = differentiate(g, forward.nodes, loss, wanted);
  const values = interpret(g.build("gradient", [...gradients.values()]), feeds);
  for (const x of wanted) {
    const dx = gradients.get(x);
    if (!dx) throw new Error(`'${x.name}' has no gradient`);
    expect(printType(dx)).toBe(printType(x));
    const slopes = centralDifferences(feeds[x.name], () => interpret(forward, feeds).get(loss)!.data[0]);
    expect(largestError(values.get(dx)!.data, slopes)).toBeLessThan(1e-6);
  }
}

/** Operators of forward graphs have gradients; these are for what the trainer adds behind them, or have none. */
const FORWARD_ONLY: readonly OpName[] = [
  "Ceil",
  "ConstantOfShape",
  "ConvTranspose",
  "CumSum",
  "Equal",
  "Floor",
  "Greater",
  "GreaterOrEqual",
  "Range",
  "ReduceProd",
  "Shape",
];
const DIFFERENTIABLE: readonly OpName[] = [
  ...OP_NAMES.filter((op) => definitionOf(op).sinceOpset !== undefined && !FORWARD_ONLY.includes(op)),
  "BatchMoments",
];

test.each(DIFFERENTIABLE)("%s has a gradient", (op) => {
  expect(definitionOf(op).gradient).toBeDefined();
});

describe.each(DIFFERENTIABLE)("the gradient of %s", (op) => {
  test.each(CASES[op].filter((c) => trainedInputs(c).length > 0))("$name", (c) => {
    const g = graphBuilder();
    const { inputs, outputs } = addCase(g, op, c);
    compare(
      g,
      addLoss(g, outputs[0], c.name),
      trainedInputs(c).map((i) => inputs[i]!),
      fedArrays(c),
    );
  });

  test("has cases", () => {
    expect(CASES[op].some((c) => trainedInputs(c).length > 0)).toBe(true);
  });
});

test("inputs that an operator holds constant get no gradient", () => {
  for (const op of ["Clip", "Pad", "BatchNormalization"] as const)
    for (const c of CASES[op]) {
      const g = graphBuilder();
      const { inputs, outputs } = addCase(g, op, c);
      const fixed = c.fixed.flatMap((i) => inputs[i] ?? []);
      const loss = addLoss(g, outputs[0], c.name);
      expect(differentiate(g, g.build("forward", []).nodes, loss, fixed).size).toBe(0);
    }
});

describe("a value that is used more than once", () => {
  const x = () => fromTensor(float32([0.3, -0.7, 1.1, 0.4], [2, 2]));
  const uses: Readonly<Record<string, (g: GraphBuilder, x: Value) => Value>> = {
    "as both factors": (g, x) => g.add("Mul", [x, x]),
    "as both matrices": (g, x) => g.add("Gemm", [x, x, x], { transB: 1 }),
    "twice in a Concat": (g, x) => g.add("Concat", [x, x, x], { axis: 1 }),
    "by two branches that meet": (g, x) => g.add("Sub", [g.add("Tanh", [x]), g.add("Mul", [g.add("Exp", [x]), x])]),
    "as itself and its logistic gate": (g, x) => g.add("Mul", [x, g.add("Sigmoid", [x])]),
    "as data and its own mean": (g, x) => g.add("Div", [x, g.add("Exp", [g.add("ReduceMean", [x])])]),
  };
  test.each(Object.keys(uses))("%s", (name) => {
    const g = graphBuilder();
    const value = g.input("x", "float32", [2, 2]);
    compare(g, addLoss(g, uses[name](g, value), name), [value], { x: x() });
  });
});

test("a chain like a network's", () => {
  const g = graphBuilder();
  const draw = (size: number, from: number) => Array.from({ length: size }, (_, i) => Math.sin(1.7 * i + from));
  const shapes = { x: [2, 2, 6, 6], w: [3, 2, 3, 3], b: [3], scale: [3], shift: [3], fc: [4, 12] } as const;
  const arrays = Object.fromEntries(
    Object.entries(shapes).map(([name, shape], i) => [
      name,
      fromTensor(
        float32(
          draw(
            shape.reduce<number>((a, b) => a * b, 1),
            i,
          ),
          shape,
        ),
      ),
    ]),
  );
  const [x, w, b, scale, shift, fc] = Object.entries(shapes).map(([name, shape]) => g.input(name, "float32", shape));
  const conv = g.add("Conv", [x, w, b], { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 0, 1, 0] });
  const norm = g.add("BatchNormalization", [conv, scale, shift, ...g.addAll("BatchMoments", [conv])], { epsilon: 1e-2 });
  const pool = g.add("MaxPool", [g.add("Relu", [norm])], { kernel_shape: [3, 3], strides: [3, 2], pads: [0, 0, 0, 1] });
  const logits = g.add("Gemm", [g.add("Flatten", [pool]), fc], { transB: 1 });
  compare(g, addLoss(g, g.add("LogSoftmax", [logits]), "chain"), [x, w, scale, shift, fc], arrays);
});
