import { ShapeError } from "../../core/errors.ts";
import type { DType } from "../../core/tensor.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Attributes, Value } from "../graph/graph.ts";
import { int, type OpDefinition } from "../graph/op.ts";
import { need, needAll, sameType } from "../graph/shape.ts";
import { indicator, type NoAttributes } from "./shared.ts";

/** A function of each element with attributes; the derivative may use x, y and dL/dy. */
export const unaryWith = <A extends Attributes>(
  attributes: OpDefinition<A>["attributes"],
  summary: string,
  sinceOpset: number,
  gradient?: (g: GraphBuilder, dy: Value, x: Value, y: Value, attributes: A) => Value,
): OpDefinition<A> => ({
  summary,
  sinceOpset,
  attributes,
  infer: ([x]) => [need(x, "X")].map(({ dtype, shape }) => ({ dtype, shape })),
  gradient: gradient && ((g, site) => [gradient(g, site.gradients[0]!, site.inputs[0], site.outputs[0], site.attributes)]),
});

const unary = (summary: string, sinceOpset: number, gradient?: (g: GraphBuilder, dy: Value, x: Value, y: Value) => Value) =>
  unaryWith<NoAttributes>({}, summary, sinceOpset, gradient);

export const Identity = unary("The input itself.", 16, (_g, dy) => dy);
export const Neg = unary("−x.", 13, (g, dy) => g.add("Neg", [dy]));
export const Abs = unary("|x|; its derivative at 0 is 0.", 13, (g, dy, x) => {
  const sign = g.add("Sub", [indicator(g, g.add("Greater", [x, g.scalar(0)])), indicator(g, g.add("Greater", [g.scalar(0), x]))]);
  return g.add("Mul", [dy, sign]);
});
export const Reciprocal = unary("1 / x.", 13, (g, dy, _x, y) => g.add("Neg", [g.add("Mul", [dy, g.add("Mul", [y, y])])]));
export const Floor = unary("The largest whole number ≤ x.", 13);
export const Ceil = unary("The smallest whole number ≥ x.", 13);
export const Exp = unary("eˣ.", 13, (g, dy, _x, y) => g.add("Mul", [dy, y]));
export const Log = unary("ln x.", 13, (g, dy, x) => g.add("Div", [dy, x]));
export const Sqrt = unary("√x.", 13, (g, dy, _x, y) => g.add("Div", [g.add("Mul", [dy, g.scalar(0.5)]), y]));
export const Relu = unary("max(x, 0); its derivative at 0 is 0.", 14, (g, dy, _x, y) => g.add("ReluGradient", [y, dy]));
export const Sigmoid = unary("1 / (1 + e⁻ˣ).", 13, (g, dy, _x, y) => g.add("SigmoidGradient", [y, dy]));
export const Tanh = unary("tanh x.", 13, (g, dy, _x, y) => g.add("Mul", [dy, g.add("Sub", [g.scalar(1), g.add("Mul", [y, y])])]));

export const Erf = unary("The error function, 2 / √π · ∫₀ˣ e^(−t²) dt.", 13, (g, dy, x) => {
  const slope = g.add("Mul", [g.add("Exp", [g.add("Neg", [g.add("Mul", [x, x])])]), g.scalar(2 / Math.sqrt(Math.PI))]);
  return g.add("Mul", [dy, slope]);
});

export const Clip: OpDefinition<NoAttributes> = {
  summary: "min(max(x, low), high); the derivative is 1 on the closed interval, 0 outside.",
  sinceOpset: 13,
  attributes: {},
  infer([x, low, high]) {
    for (const bound of [low, high])
      if (bound && bound.shape.length > 0) throw new ShapeError(`bounds: expected scalars, received [${bound.shape}]`);
    const { dtype, shape } = need(x, "input");
    return [{ dtype, shape }];
  },
  gradient(g, { inputs: [x, low, high], gradients: [dy] }) {
    const inside = [low && g.add("GreaterOrEqual", [x, low]), high && g.add("GreaterOrEqual", [high, x])].filter((c) => c !== undefined);
    return [inside.reduce((product, condition) => g.add("Mul", [product, indicator(g, condition)]), dy!)];
  },
};

/** A gradient of a function of each element, from the function's output. */
const fromOutput = (summary: string): OpDefinition<NoAttributes> => ({
  summary,
  sinceOpset: undefined,
  attributes: {},
  infer(inputs) {
    const [y, dy] = needAll(inputs, ["y", "dy"]);
    sameType(y, dy);
    if (String(y.shape) !== String(dy.shape)) throw new ShapeError("y and dy must have one shape");
    return [{ dtype: y.dtype, shape: y.shape }];
  },
});

export const ReluGradient = fromOutput("dy · [y > 0], for y = Relu(x).");
export const SigmoidGradient = fromOutput("dy · y · (1 − y), for y = Sigmoid(x).");

const DTYPES: Readonly<Record<number, DType>> = { 1: "float32", 2: "uint8", 6: "int32", 7: "int64", 9: "bool", 11: "float64" };

export const Cast: OpDefinition<{ to: number }> = {
  summary: "Each element in another type; `to` is TensorProto.DataType's number. Only a cast to its own type has a gradient.",
  sinceOpset: 13,
  attributes: { to: int() },
  infer([x], { to }) {
    if (!Object.hasOwn(DTYPES, to)) throw new ShapeError(`cannot cast to data type ${to}; there are ${Object.keys(DTYPES)}`);
    return [{ dtype: DTYPES[to], shape: need(x, "input").shape }];
  },
  gradient: (_g, { inputs: [x], outputs: [y], gradients: [dy] }) => [x.dtype === y.dtype ? dy : undefined],
};
