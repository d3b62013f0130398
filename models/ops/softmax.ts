import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import { int, type OpDefinition } from "../graph/op.ts";
import { canonicalAxis, need } from "../graph/shape.ts";
import { reduceSum } from "./shared.ts";

const alongAxis = (
  summary: string,
  gradient: (g: GraphBuilder, y: Value, dy: Value, axis: number) => Value,
): OpDefinition<{ axis: number }> => ({
  summary,
  sinceOpset: 13,
  attributes: { axis: int(-1) },
  infer([operand], { axis }) {
    const { dtype, shape } = need(operand, "input");
    canonicalAxis(axis, shape.length);
    return [{ dtype, shape }];
  },
  gradient: (g, { outputs: [y], attributes: { axis }, gradients: [dy] }) => [gradient(g, y, dy!, canonicalAxis(axis, y.shape.length))],
});

export const Softmax = alongAxis("eˣ / Σ eˣ along an axis.", (g, y, dy, axis) =>
  g.add("Mul", [y, g.add("Sub", [dy, reduceSum(g, g.add("Mul", [dy, y]), [axis], true)])]),
);

export const LogSoftmax = alongAxis("x − ln Σ eˣ along an axis.", (g, y, dy, axis) =>
  g.add("Sub", [dy, g.add("Mul", [g.add("Exp", [y]), reduceSum(g, dy, [axis], true)])]),
);
