import { ShapeError } from "../../core/errors.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import { float, type OpDefinition, text } from "../graph/op.ts";
import { broadcast, needAll, sameType } from "../graph/shape.ts";
import { unaryWith } from "./elementwise.ts";
import { indicator, type NoAttributes, sameShape, sumTo } from "./shared.ts";

const positive = (g: GraphBuilder, x: Value): Value => indicator(g, g.add("Greater", [x, g.scalar(0)]));
const times = (g: GraphBuilder, ...factors: readonly (Value | number)[]): Value =>
  factors
    .map((factor) => (typeof factor === "number" ? g.scalar(factor) : factor))
    .reduce((product, factor) => g.add("Mul", [product, factor]));
const plus = (g: GraphBuilder, a: Value, b: Value | number): Value => g.add("Add", [a, typeof b === "number" ? g.scalar(b) : b]);

/** α + (1 − α) · [x > 0] */
const slope = (g: GraphBuilder, x: Value, alpha: number): Value => plus(g, times(g, positive(g, x), 1 - alpha), alpha);

export const LeakyRelu = unaryWith<{ alpha: number }>(
  { alpha: float(0.01) },
  "x where x > 0, else alpha · x.",
  16,
  (g, dy, x, _y, { alpha }) => times(g, dy, slope(g, x, alpha)),
);

export const Elu = unaryWith<{ alpha: number }>(
  { alpha: float(1) },
  "x where x > 0, else alpha · (eˣ − 1).",
  6,
  (g, dy, x, y, { alpha }) => {
    const below = g.add("Min", [y, g.scalar(0)]);
    return times(g, dy, plus(g, below, alpha === 1 ? 1 : slope(g, x, alpha)));
  },
);

export const PRelu: OpDefinition<NoAttributes> = {
  summary: "x where x > 0, else slope · x; the slope is learned and broadcasts to x.",
  sinceOpset: 16,
  attributes: {},
  infer(inputs) {
    const [x, learned] = needAll(inputs, ["X", "slope"]);
    sameType(x, learned);
    if (!sameShape(broadcast(x.shape, learned.shape), x.shape))
      throw new ShapeError(`slope [${learned.shape}] does not broadcast to [${x.shape}]`);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  gradient(g, { inputs: [x, learned], gradients: [dy] }) {
    const mask = positive(g, x);
    const below = g.add("Sub", [g.scalar(1), mask]);
    return [times(g, dy!, plus(g, mask, times(g, learned, below))), sumTo(g, times(g, dy!, g.add("Min", [x, g.scalar(0)])), learned)];
  },
};

export const Softplus = unaryWith<NoAttributes>({}, "ln(1 + eˣ).", 1, (g, dy, x) => times(g, dy, g.add("Sigmoid", [x])));

export const HardSigmoid = unaryWith<{ alpha: number; beta: number }>(
  { alpha: float(0.2), beta: float(0.5) },
  "min(max(alpha · x + beta, 0), 1); its derivative is alpha on the open interval, 0 outside.",
  6,
  (g, dy, _x, y, { alpha }) => times(g, dy, positive(g, y), indicator(g, g.add("Greater", [g.scalar(1), y])), alpha),
);

export const HardSwish = unaryWith<NoAttributes>({}, "x · min(max(x / 6 + 1/2, 0), 1).", 14, (g, dy, x) => {
  const inside = indicator(g, g.add("Greater", [g.scalar(3), g.add("Abs", [x])]));
  const gate = g.add("HardSigmoid", [x], { alpha: 1 / 6, beta: 0.5 });
  return times(g, dy, plus(g, gate, times(g, x, inside, 1 / 6)));
});

const CUBIC = 0.044715;
const SCALE = Math.sqrt(2 / Math.PI);

/** Φ(x) + x · φ(x) */
function exactSlope(g: GraphBuilder, x: Value): Value {
  const below = times(g, plus(g, g.add("Erf", [times(g, x, Math.SQRT1_2)]), 1), 0.5);
  const density = times(g, g.add("Exp", [times(g, x, x, -0.5)]), 1 / Math.sqrt(2 * Math.PI));
  return plus(g, below, times(g, x, density));
}

/** With t = tanh(u): (1 + t) / 2 + x / 2 · (1 − t²) · u' */
function approximateSlope(g: GraphBuilder, x: Value): Value {
  const square = times(g, x, x);
  const t = g.add("Tanh", [times(g, x, plus(g, times(g, square, SCALE * CUBIC), SCALE))]);
  const inner = plus(g, times(g, square, 3 * SCALE * CUBIC), SCALE);
  const rest = g.add("Sub", [g.scalar(1), times(g, t, t)]);
  return times(g, plus(g, plus(g, t, 1), times(g, x, rest, inner)), 0.5);
}

const gelu = unaryWith<{ approximate: string }>(
  { approximate: text("none") },
  "x · Φ(x), Φ the normal distribution's; approximate = tanh: x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).",
  20,
  (g, dy, x, _y, { approximate }) => times(g, dy, approximate === "tanh" ? approximateSlope(g, x) : exactSlope(g, x)),
);

export const Gelu: typeof gelu = {
  ...gelu,
  infer(inputs, attributes) {
    const { approximate } = attributes;
    if (approximate !== "none" && approximate !== "tanh") throw new ShapeError(`approximate '${approximate}': expected 'none' or 'tanh'`);
    return gelu.infer(inputs, attributes);
  },
};
