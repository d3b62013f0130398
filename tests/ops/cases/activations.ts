import type { Attributes } from "../../../models/graph/graph.ts";
import { type Case, type Input, makeCase, nonzero, normal, value } from "./case.ts";

const SHAPES = [[], [5], [2, 3], [2, 1, 2, 3], [1, 2, 1, 2, 2]];

const ranks = (op: string, draw: (...shape: number[]) => Input, attributes?: Attributes): Case[] =>
  SHAPES.map((shape) => makeCase(op, `rank ${shape.length}${attributes ? ", attributes given" : ""}`, [draw(...shape)], { attributes }));

const far = (op: string, numbers: readonly number[], attributes?: Attributes): Case =>
  makeCase(op, "far from 0", [value(numbers)], { attributes });

export const LeakyRelu = [...ranks("LeakyRelu", nonzero), ...ranks("LeakyRelu", nonzero, { alpha: 0.3 })];
export const Elu = [...ranks("Elu", nonzero), ...ranks("Elu", nonzero, { alpha: 0.7 }), far("Elu", [-20, 20])];
export const Softplus = [...ranks("Softplus", normal), far("Softplus", [-20, 20])];
export const HardSigmoid = [
  ...ranks("HardSigmoid", normal),
  ...ranks("HardSigmoid", normal, { alpha: 0.3, beta: 0.4 }),
  far("HardSigmoid", [-5, -2.4, 2.4, 5]),
  makeCase("HardSigmoid", "PyTorch's, x / 6 + 1/2", [value([-3.1, -2.9, 2.9, 3.1])], { attributes: { alpha: 1 / 6 } }),
];
export const HardSwish = [...ranks("HardSwish", normal), far("HardSwish", [-5, -3.1, -2.9, -1.5, 2.9, 3.1, 9])];
export const Gelu = [
  ...ranks("Gelu", normal),
  ...ranks("Gelu", normal, { approximate: "tanh" }),
  far("Gelu", [-4, -2, 2, 4]),
  makeCase("Gelu", "far from 0, tanh", [value([-4, -2, 2, 4])], { attributes: { approximate: "tanh" } }),
];

const prelu = (name: string, x: readonly number[], slope: readonly number[]): Case =>
  makeCase("PRelu", name, [nonzero(...x), normal(...slope)]);
export const PRelu = [
  prelu("one slope a channel", [2, 3, 2, 2], [3, 1, 1]),
  prelu("one slope", [2, 3, 2, 2], [1]),
  prelu("a slope for each pixel", [2, 2, 2, 3], [2, 2, 3]),
  prelu("of the same rank", [2, 3, 2, 2], [1, 3, 1, 1]),
  prelu("features", [3, 4], [4]),
];
