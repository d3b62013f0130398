import { int64 } from "../../core/tensor.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { type Dimension, knownShape, type Value } from "../graph/graph.ts";
import { int, type OpDefinition, type Operand } from "../graph/op.ts";
import { canonicalAxis, constantInts, need } from "../graph/shape.ts";
import { expand, indicator, reshape } from "./shared.ts";

type ReduceAttributes = { keepdims: number; noop_with_empty_axes: number };

/** The axes of a reduction, from the front and in order: all of them where the input is left out or empty. */
function axesOf(rank: number, axes: Operand | undefined): number[] {
  const given = axes ? constantInts(axes, "axes") : [];
  const every = Array.from({ length: rank }, (_, i) => i);
  return given.length ? given.map((axis) => canonicalAxis(axis, rank)).sort((a, b) => a - b) : every;
}

interface ReduceSite {
  readonly x: Value;
  readonly y: Value;
  readonly dy: Value;
  readonly axes: readonly number[];
}
type ReduceGradient = (g: GraphBuilder, site: ReduceSite) => Value;

/** @param gradient dL/dx; y and dy come with their reduced axes kept as 1. */
const reduction = (summary: string, sinceOpset: number, gradient?: ReduceGradient): OpDefinition<ReduceAttributes> => ({
  summary,
  sinceOpset,
  attributes: { keepdims: int(1), noop_with_empty_axes: int(0) },
  infer([operand, axesInput], { keepdims, noop_with_empty_axes }) {
    const x = need(operand, "data");
    if (noop_with_empty_axes && !axesInput?.shape[0]) return [{ dtype: x.dtype, shape: x.shape }];
    const axes = axesOf(x.shape.length, axesInput);
    const shape = x.shape.flatMap((d, i): Dimension[] => (axes.includes(i) ? (keepdims ? [1] : []) : [d]));
    return [{ dtype: x.dtype, shape }];
  },
  gradient:
    gradient &&
    ((g, { inputs: [x, axesInput], outputs: [y], attributes, gradients: [dy] }) => {
      const shape = knownShape(x);
      const none = attributes.noop_with_empty_axes && !axesInput?.shape[0];
      const axes = none ? [] : axesOf(shape.length, axesInput && { ...axesInput, constant: g.constantOf(axesInput) });
      const kept = shape.map((d, i) => (axes.includes(i) ? 1 : d));
      return [gradient(g, { x, y: reshape(g, y, kept), dy: reshape(g, dy!, kept), axes })];
    }),
});

export const ReduceSum = reduction("Σ over axes.", 13, (g, { x, dy }) => expand(g, dy, knownShape(x)));

export const ReduceMean = reduction("The mean over axes.", 18, (g, { x, dy, axes }) => {
  const count = axes.reduce((product, axis) => product * knownShape(x)[axis], 1);
  return expand(g, g.add("Mul", [dy, g.scalar(1 / count)]), knownShape(x));
});

export const ReduceSumSquare = reduction("Σ x² over axes.", 18, (g, { x, dy }) => g.add("Mul", [g.add("Mul", [x, g.scalar(2)]), dy]));

/** Below it a length is taken as this: 0 / 0 would be no number, where the slope of a length at 0 is taken as 0. */
const SMALLEST = 1.1754943508222875e-38;

export const ReduceL2 = reduction("√Σ x² over axes; the derivative at 0 is 0.", 18, (g, { x, y, dy }) =>
  g.add("Mul", [dy, g.add("Div", [x, g.add("Max", [y, g.scalar(SMALLEST)])])]),
);

export const ReduceProd = reduction("The product over axes.", 18);

/** Of a mask of zeros and ones the first one along an axis; 0 elsewhere. */
export function firstAlong(g: GraphBuilder, mask: Value, axis: number): Value {
  const rank = g.add("CumSum", [mask, g.initializer("axis", int64([axis], []))]);
  return g.add("Mul", [mask, indicator(g, g.add("GreaterOrEqual", [g.scalar(1), rank]))]);
}

/** dy at the first of the largest elements over axes, in row order; y and dy have their reduced axes kept as 1. */
export function toFirstLargest(g: GraphBuilder, { x, y, dy, axes }: ReduceSite): Value {
  const shape = knownShape(x);
  const rest = shape.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
  const perm = [...rest, ...axes];
  const flat = [...rest.map((i) => shape[i]), axes.reduce((size, axis) => size * shape[axis], 1)];
  const largest = indicator(g, g.add("Equal", [x, y]));
  const rowed = reshape(g, g.add("Transpose", [largest], { perm }), flat);
  const first = firstAlong(g, rowed, flat.length - 1);
  const transposed = perm.map((i) => shape[i]);
  const mask = g.add("Transpose", [reshape(g, first, transposed)], { perm: perm.map((_, i) => perm.indexOf(i)) });
  return g.add("Mul", [dy, mask]);
}

export const ReduceMax = reduction("The largest over axes; the gradient goes to the first largest in row order.", 18, toFirstLargest);

export const CumSum: OpDefinition<{ exclusive: number; reverse: number }> = {
  summary: "Running sums along an axis.",
  sinceOpset: 14,
  attributes: { exclusive: int(0), reverse: int(0) },
  infer([operand, axis]) {
    const x = need(operand, "x");
    canonicalAxis(constantInts(axis, "axis")[0], x.shape.length);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
};
