import { ShapeError } from "../../core/errors.ts";
import { int64 } from "../../core/tensor.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { knownShape, type Value } from "../graph/graph.ts";
import { float, int, type OpDefinition } from "../graph/op.ts";
import { canonicalAxis, known, need, needAll } from "../graph/shape.ts";
import { reshape, sameShape, sumTo } from "./shared.ts";

const mean = (g: GraphBuilder, x: Value, axes: readonly number[]): Value => g.add("ReduceMean", [x, g.initializer("axes", int64(axes))]);

/**
 * Of y = x̂ · scale + bias with x̂ = (x − mean) · r, r = 1 / √(variance + epsilon), both over `axes`.
 * With d = dy · scale: dx = r · (d − mean(d) − x̂ · mean(d · x̂)).
 * @param scale broadcasts against x
 */
function gradientOfNorm(g: GraphBuilder, x: Value, scale: Value, dy: Value, axes: readonly number[], epsilon: number) {
  const centered = g.add("Sub", [x, mean(g, x, axes)]);
  const variance = mean(g, g.add("Mul", [centered, centered]), axes);
  const r = g.add("Reciprocal", [g.add("Sqrt", [g.add("Add", [variance, g.scalar(epsilon)])])]);
  const normalized = g.add("Mul", [centered, r]);
  const d = g.add("Mul", [dy, scale]);
  const along = g.add("Mul", [normalized, mean(g, g.add("Mul", [d, normalized]), axes)]);
  const dx = g.add("Mul", [g.add("Sub", [g.add("Sub", [d, mean(g, d, axes)]), along]), r]);
  return { dx, dscale: g.add("Mul", [dy, normalized]) };
}

const from = (axis: number, rank: number): number[] => Array.from({ length: rank - axis }, (_, i) => axis + i);

export const LayerNormalization: OpDefinition<{ axis: number; epsilon: number; stash_type: number }> = {
  summary: "(x − mean) / √(variance + epsilon) · scale + bias, mean and variance of each element over the axes from `axis` on.",
  sinceOpset: 17,
  attributes: { axis: int(-1), epsilon: float(1e-5), stash_type: int(1) },
  infer(inputs, { axis }) {
    const [x, scale] = needAll(inputs, ["X", "Scale"]);
    const normalized = x.shape.slice(canonicalAxis(axis, x.shape.length));
    for (const [name, vector] of Object.entries({ Scale: scale, B: inputs[2] }))
      if (vector && !sameShape(vector.shape, normalized))
        throw new ShapeError(`${name}: expected [${normalized}], received [${vector.shape}]`);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient(g, { inputs: [x, scale, bias], attributes: { axis, epsilon }, gradients: [dy] }) {
    const rank = x.shape.length;
    const { dx, dscale } = gradientOfNorm(g, x, scale, dy!, from(canonicalAxis(axis, rank), rank), epsilon);
    return [dx, sumTo(g, dscale, scale), bias && sumTo(g, dy!, bias)];
  },
};

const perChannel = (g: GraphBuilder, vector: Value, rank: number): Value =>
  reshape(g, vector, [...knownShape(vector), ...Array<number>(rank - 2).fill(1)]);

export const InstanceNormalization: OpDefinition<{ epsilon: number }> = {
  summary: "(x − mean) / √(variance + epsilon) · scale + bias, mean and variance of each image's channel over its pixels.",
  sinceOpset: 6,
  attributes: { epsilon: float(1e-5) },
  infer(inputs) {
    const [x, scale, bias] = needAll(inputs, ["input", "scale", "B"]);
    if (x.shape.length < 3) throw new ShapeError(`input: expected [N, C, …], received [${x.shape}]`);
    for (const [name, vector] of Object.entries({ scale, B: bias }))
      if (!sameShape(vector.shape, [x.shape[1]])) throw new ShapeError(`${name}: expected [${x.shape[1]}], received [${vector.shape}]`);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient(g, { inputs: [x, scale, bias], attributes: { epsilon }, gradients: [dy] }) {
    const rank = x.shape.length;
    const column = perChannel(g, scale, rank);
    const { dx, dscale } = gradientOfNorm(g, x, column, dy!, from(2, rank), epsilon);
    const vector = (value: Value): Value => reshape(g, sumTo(g, value, column), knownShape(bias));
    return [dx, vector(dscale), vector(dy!)];
  },
};

/** The mean over `size` channels around each, zeros beyond the first and the last. */
function windowMean(g: GraphBuilder, x: Value, size: number): Value {
  const [batch, channels, ...pixels] = knownShape(x);
  const flat = reshape(g, x, [batch, 1, channels, pixels.reduce((a, b) => a * b, 1)]);
  const reach = (size - 1) / 2;
  const attributes = { kernel_shape: [size, 1], pads: [reach, 0, reach, 0], count_include_pad: 1 };
  return reshape(g, g.add("AveragePool", [flat], attributes), knownShape(x));
}

export type LrnAttributes = { alpha: number; beta: number; bias: number; size: number };

/** S = bias + alpha / size · Σ x² */
function lrnBase(g: GraphBuilder, x: Value, { alpha, bias, size }: LrnAttributes): Value {
  const squares = windowMean(g, g.add("Mul", [x, x]), size);
  return g.add("Add", [g.add("Mul", [squares, g.scalar(alpha)]), g.scalar(bias)]);
}

/** 1 / Sᵝ: what LRN multiplies by, of [N, C, …]. */
export const lrnFactor = (g: GraphBuilder, x: Value, attributes: LrnAttributes): Value =>
  g.add("Pow", [lrnBase(g, x, attributes), g.scalar(-attributes.beta)]);

export const LRN: OpDefinition<LrnAttributes> = {
  summary: "Local response normalization: x / Sᵝ, S = bias + alpha / size · Σ x² over `size` channels around each.",
  sinceOpset: 13,
  attributes: { alpha: float(1e-4), beta: float(0.75), bias: float(1), size: int() },
  infer([operand], { size }) {
    const { dtype, shape } = need(operand, "X");
    if (shape.length < 3) throw new ShapeError(`X: expected [N, C, …], received [${shape}]`);
    known(shape[1], "the channel axis");
    if (size < 1 || size % 2 !== 1) throw new ShapeError(`size: expected an odd number, received ${size}`);
    return [{ dtype, shape }];
  },
  /** dx = dy / Sᵝ − 2 alpha beta / size · x · Σ dy · y / S, over the same channels: a window's middle lies in the windows of all its channels. */
  gradient(g, { inputs: [x], outputs: [y], attributes, gradients: [dy] }) {
    const { alpha, beta, size } = attributes;
    const direct = g.add("Mul", [dy, lrnFactor(g, x, attributes)]);
    const given = windowMean(g, g.add("Div", [g.add("Mul", [dy, y]), lrnBase(g, x, attributes)]), size);
    return [g.add("Sub", [direct, g.add("Mul", [g.add("Mul", [x, given]), g.scalar(2 * alpha * beta)])])];
  },
};
