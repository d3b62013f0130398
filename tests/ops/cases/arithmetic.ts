import { type Case, coarse, type Input, integers, makeCase, nonzero, normal, positive, value } from "./case.ts";

type Draw = (...shape: number[]) => Input;

const SHAPES: readonly (readonly [string, readonly number[], readonly number[]])[] = [
  ["equal shapes", [2, 3], [2, 3]],
  ["scalars", [], []],
  ["scalar left", [], [2, 3]],
  ["scalar right", [2, 1, 3], []],
  ["one element of a higher rank", [3], [1, 1, 1]],
  ["row left", [4], [2, 3, 4]],
  ["channels right", [2, 3, 2, 2], [3, 1, 1]],
  ["both ways", [2, 1, 4], [3, 1]],
  ["both ways, rank 5", [2, 1, 3, 1, 2], [1, 3, 1, 2, 1]],
];

const broadcasts = (op: string, a: Draw, b: Draw, fixed?: readonly number[]): Case[] =>
  SHAPES.map(([name, left, right]) => makeCase(op, name, [a(...left), b(...right)], { fixed }));

const wholeNumbers = (op: string): Case => makeCase(op, "int64", [integers([7, -7, 9, 2]), integers([2])]);

export const Add = [...broadcasts("Add", normal, normal), wholeNumbers("Add")];
export const Sub = [...broadcasts("Sub", normal, normal), wholeNumbers("Sub")];
export const Mul = [...broadcasts("Mul", normal, normal), wholeNumbers("Mul")];
export const Div = [...broadcasts("Div", normal, nonzero), wholeNumbers("Div")];
export const Pow = [
  ...broadcasts("Pow", positive, normal),
  makeCase("Pow", "squares of negative numbers", [normal(2, 3), value([2], [])], { fixed: [1] }),
  makeCase("Pow", "cubes of negative numbers", [nonzero(2, 3), value([3], [1])], { fixed: [1] }),
];

const variadic = (op: string, draw: Draw): Case[] => [
  ...broadcasts(op, draw, draw),
  makeCase(op, "one input", [draw(2, 3)]),
  makeCase(op, "three inputs that broadcast", [draw(2, 1, 3), draw(3), draw(4, 1)]),
];
export const Sum = variadic("Sum", normal);
export const Max = [...variadic("Max", normal), wholeNumbers("Max")];
export const Min = [...variadic("Min", normal), wholeNumbers("Min")];

const comparisons = (op: string): Case[] => broadcasts(op, coarse, coarse);
export const Greater = comparisons("Greater");
export const GreaterOrEqual = comparisons("GreaterOrEqual");
export const Equal = [...comparisons("Equal"), wholeNumbers("Equal")];
