import { knownShape, type ValueType } from "../graph/graph.ts";
import { int, ints, type OpDefinition, type Operand } from "../graph/op.ts";
import { need, needAll, needRank, slide } from "../graph/shape.ts";
import { type WindowAttributes, windowAttributes, windowOf } from "./conv.ts";
import { toFirstLargest } from "./reduce.ts";
import { expand } from "./shared.ts";

type PoolAttributes = WindowAttributes & { ceil_mode: number };
type AverageAttributes = Omit<PoolAttributes, "dilations"> & { count_include_pad: number };

const { dilations: _, ...undilated } = windowAttributes; // AveragePool has them from opset 19 on; no classifier here uses them
const averageAttributes = { ...undilated, ceil_mode: int(0), count_include_pad: int(0) };

function inferPool([operand]: readonly (Operand | undefined)[], attributes: WindowAttributes & { ceil_mode: number }): ValueType[] {
  const x = need(operand, "X");
  const window = windowOf(attributes);
  needRank(x, window.kernel.length + 2, "X");
  return [{ dtype: x.dtype, shape: [x.shape[0], x.shape[1], ...slide(x.shape.slice(2), window, attributes.ceil_mode === 1)] }];
}

export const MaxPool: OpDefinition<PoolAttributes> = {
  summary: "The largest pixel of each window; padding never wins. The gradient goes to the first largest in row order.",
  sinceOpset: 12,
  attributes: { ...windowAttributes, ceil_mode: int(0) },
  infer: inferPool,
  gradient: (g, { inputs: [x], outputs: [y], attributes, gradients: [dy] }) => [g.add("MaxPoolGradient", [x, y, dy], attributes)],
};

export const MaxPoolGradient: OpDefinition<PoolAttributes> = {
  summary: "dL/dx of MaxPool from x, y and dy: dy of each window goes to its first largest pixel in row order.",
  sinceOpset: undefined,
  attributes: { ...windowAttributes, ceil_mode: int(0) },
  infer(inputs) {
    const [x] = needAll(inputs, ["x", "y", "dy"]);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
};

export const AveragePool: OpDefinition<AverageAttributes> = {
  summary: "The mean of each window; padding counts only with count_include_pad.",
  sinceOpset: 11,
  attributes: averageAttributes,
  infer: inferPool,
  gradient: (g, { inputs: [x], attributes, gradients: [dy] }) => [
    g.add("AveragePoolGradient", [dy], { ...attributes, input_shape: knownShape(x) }),
  ],
};

export const AveragePoolGradient: OpDefinition<AverageAttributes & { input_shape: readonly number[] }> = {
  summary: "dL/dx of AveragePool from dy: each window spreads dy / (its number of pixels) over its pixels.",
  sinceOpset: undefined,
  attributes: { ...averageAttributes, input_shape: ints() },
  infer: ([dy], { input_shape }) => [{ dtype: need(dy, "dy").dtype, shape: input_shape }],
};

/** [N, C, …] → [N, C, 1, …] */
const inferGlobal = ([operand]: readonly (Operand | undefined)[]): ValueType[] => {
  const x = need(operand, "X");
  return [{ dtype: x.dtype, shape: [x.shape[0], x.shape[1], ...x.shape.slice(2).map(() => 1)] }];
};

export const GlobalAveragePool: OpDefinition<Record<never, never>> = {
  summary: "The mean over all pixels of each channel: [N, C, …] → [N, C, 1, …].",
  sinceOpset: 1,
  attributes: {},
  infer: inferGlobal,
  gradient(g, { inputs: [x], gradients: [dy] }) {
    const shape = knownShape(x);
    const pixels = shape.slice(2).reduce((a, b) => a * b, 1);
    return [expand(g, g.add("Mul", [dy, g.scalar(1 / pixels)]), shape)];
  },
};

export const GlobalMaxPool: OpDefinition<Record<never, never>> = {
  summary: "The largest pixel of each channel: [N, C, …] → [N, C, 1, …]. The gradient goes to the first largest in row order.",
  sinceOpset: 1,
  attributes: {},
  infer: inferGlobal,
  gradient: (g, { inputs: [x], outputs: [y], gradients: [dy] }) => [
    toFirstLargest(g, { x, y, dy: dy!, axes: x.shape.map((_, i) => i).slice(2) }),
  ],
};
