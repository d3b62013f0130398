import { booleans, type Case, coarse, type Input, integers, makeCase, nonzero, normal, positive, value } from "./case.ts";

const ranks = (op: string, draw: (...shape: number[]) => Input): Case[] =>
  [[], [5], [2, 3], [2, 1, 2, 3], [1, 2, 1, 2, 2]].map((shape) => makeCase(op, `rank ${shape.length}`, [draw(...shape)]));

export const Identity = ranks("Identity", normal);
export const Neg = ranks("Neg", normal);
export const Abs = ranks("Abs", nonzero);
export const Reciprocal = ranks("Reciprocal", nonzero);
export const Floor = [...ranks("Floor", normal), makeCase("Floor", "whole numbers and halves", [value([-1, -0.5, 0.5, 3])])];
export const Ceil = [...ranks("Ceil", normal), makeCase("Ceil", "whole numbers and halves", [value([-1, -0.5, 0.5, 3])])];
export const Erf = [...ranks("Erf", normal), makeCase("Erf", "from −3.5 to 4", [value([-3.5, -1, -1e-3, 0, 0.4, 2.5, 4])])];
export const Exp = ranks("Exp", normal);
export const Log = ranks("Log", positive);
export const Sqrt = ranks("Sqrt", positive);
export const Relu = ranks("Relu", nonzero);
export const Sigmoid = [...ranks("Sigmoid", normal), makeCase("Sigmoid", "far from 0", [value([-30, -8, 8, 30])])];
export const Tanh = [...ranks("Tanh", normal), makeCase("Tanh", "far from 0", [value([-8, 8])])];
export const Dropout = ranks("Dropout", normal);

const fixed = [1, 2];
export const Clip = [
  makeCase("Clip", "two bounds", [nonzero(3, 4), value([-0.1], []), value([0.9], [])], { fixed }),
  makeCase("Clip", "only a lower bound", [nonzero(2, 3), value([0.1], [])], { fixed }),
  makeCase("Clip", "only an upper bound", [nonzero(2, 3), undefined, value([0.1], [])], { fixed }),
  makeCase("Clip", "no bounds", [nonzero(2, 3)], { fixed }),
  makeCase("Clip", "ReLU6 of a scalar", [value([7], []), value([0], []), value([6], [])], { fixed }),
];

/** Only what stays float32 has a gradient. */
const cast = (name: string, input: Input, to: number): Case =>
  makeCase("Cast", name, [input], { attributes: { to }, fixed: to === 1 ? [] : [0] });
export const Cast = [
  cast("float32 → float32", normal(2, 3), 1),
  cast("bool → float32", booleans([0, 1, 1, 0]), 1),
  cast("float32 → bool", coarse(2, 5), 9),
  cast("float32 → int64, towards zero", value([-1.7, -0.3, 0.3, 1.7]), 7),
  cast("float32 → int32", value([-1.7, 2.5]), 6),
  cast("float32 → uint8", value([0, 1.9, 254.9]), 2),
  cast("int64 → float32", integers([-3, 0, 5]), 1),
  cast("int64 → uint8, modulo 256", integers([-1, 257, 3]), 2),
  cast("float32 → float64", normal(2, 2), 11),
];
