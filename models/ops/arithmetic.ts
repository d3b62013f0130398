import { ShapeError } from "../../core/errors.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import type { GradientSite, OpDefinition } from "../graph/op.ts";
import { broadcast, needAll, sameType } from "../graph/shape.ts";
import { indicator, type NoAttributes, sumTo } from "./shared.ts";

type Gradient = NonNullable<OpDefinition<NoAttributes>["gradient"]>;

const binary = (summary: string, sinceOpset: number, gradient?: Gradient, bool = false): OpDefinition<NoAttributes> => ({
  summary,
  sinceOpset,
  attributes: {},
  infer(inputs) {
    const [a, b] = needAll(inputs, ["A", "B"]);
    if (inputs.length > 2) throw new ShapeError(`expected 2 inputs, received ${inputs.length}`);
    sameType(a, b);
    return [{ dtype: bool ? "bool" : a.dtype, shape: broadcast(a.shape, b.shape) }];
  },
  gradient,
});

/** The gradient of a broadcast operator: one value for each input in the output's shape, summed to the input's own. */
const summed =
  (partials: (g: GraphBuilder, site: GradientSite<NoAttributes>, dy: Value) => readonly Value[]): Gradient =>
  (g, site) =>
    partials(g, site, site.gradients[0]!).map((partial, i) => sumTo(g, partial, site.inputs[i]));

export const Add = binary(
  "Sum with broadcasting: A + B.",
  14,
  summed((_g, _site, dy) => [dy, dy]),
);

export const Sub = binary(
  "Difference with broadcasting: A − B.",
  14,
  summed((g, _site, dy) => [dy, g.add("Neg", [dy])]),
);

export const Mul = binary(
  "Product with broadcasting: A · B.",
  14,
  summed((g, { inputs: [a, b] }, dy) => [g.add("Mul", [dy, b]), g.add("Mul", [dy, a])]),
);

export const Div = binary(
  "Quotient with broadcasting: A / B.",
  14,
  summed((g, { inputs: [, b], outputs: [y] }, dy) => {
    const da = g.add("Div", [dy, b]);
    return [da, g.add("Neg", [g.add("Mul", [da, y])])];
  }),
);

export const Pow = binary(
  "Power with broadcasting: A ^ B; the gradient of B needs A > 0.",
  15,
  summed((g, { inputs: [a, b], outputs: [y] }, dy) => {
    const squared = g.constantOf(b)?.data.every((exponent) => Number(exponent) === 2);
    const power = squared ? a : g.add("Pow", [a, g.add("Sub", [b, g.scalar(1)])]);
    return [g.add("Mul", [dy, g.add("Mul", [b, power])]), g.add("Mul", [dy, g.add("Mul", [y, g.add("Log", [a])])])];
  }),
);

/** Of one value or more, with broadcasting; the gradient's parts have the output's shape. */
const variadic = (
  summary: string,
  sinceOpset: number,
  partials: (g: GraphBuilder, inputs: readonly Value[], y: Value, dy: Value) => readonly Value[],
): OpDefinition<NoAttributes> => ({
  summary,
  sinceOpset,
  attributes: {},
  infer(inputs) {
    const [first, ...others] = needAll(
      inputs,
      (inputs.length ? inputs : [undefined]).map((_, i) => `data_${i}`),
    );
    for (const other of others) sameType(first, other);
    return [{ dtype: first.dtype, shape: others.reduce((shape, other) => broadcast(shape, other.shape), first.shape) }];
  },
  gradient: (g, { inputs, outputs: [y], gradients: [dy] }) => partials(g, inputs, y, dy!).map((partial, i) => sumTo(g, partial, inputs[i])),
});

/** dy goes to the first input that has the output's value. */
const toFirstEqual = (g: GraphBuilder, inputs: readonly Value[], y: Value, dy: Value): Value[] => {
  let left = dy;
  return inputs.map((x, i) => {
    if (i === inputs.length - 1) return left;
    const taken = g.add("Mul", [left, indicator(g, g.add("Equal", [x, y]))]);
    left = g.add("Sub", [left, taken]);
    return taken;
  });
};

export const Max = variadic("The largest of the inputs, with broadcasting; the gradient goes to the first that has it.", 13, toFirstEqual);
export const Min = variadic("The smallest of the inputs, with broadcasting; the gradient goes to the first that has it.", 13, toFirstEqual);
export const Sum = variadic("The sum of the inputs, with broadcasting.", 13, (_g, inputs, _y, dy) => inputs.map(() => dy));
export const Greater = binary("A > B with broadcasting, as bool.", 13, undefined, true);
export const GreaterOrEqual = binary("A ≥ B with broadcasting, as bool.", 16, undefined, true);
export const Equal = binary("A = B with broadcasting, as bool.", 13, undefined, true);
