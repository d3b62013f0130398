import { float32, int64 } from "../../../core/tensor.ts";
import type { Attributes } from "../../../models/graph/graph.ts";
import { booleans, type Case, type Input, integers, makeCase, normal } from "./case.ts";

const shape = (name: string, input: Input, attributes?: Attributes): Case => makeCase("Shape", name, [input], { attributes });
export const Shape = [
  shape("images", normal(2, 3, 4, 1)),
  shape("a scalar", normal()),
  shape("from axis 1", normal(2, 3, 4), { start: 1 }),
  shape("from behind", normal(2, 3, 4), { start: -2, end: -1 }),
  shape("beyond the end", normal(2, 3), { start: 1, end: 9 }),
];

const filled = (name: string, sizes: readonly number[], attributes?: Attributes): Case =>
  makeCase("ConstantOfShape", name, [integers(sizes)], { attributes });
export const ConstantOfShape = [
  filled("zeros", [2, 3]),
  filled("ones", [4], { value: float32([1]) }),
  filled("whole numbers", [2, 1], { value: int64([-7]) }),
  filled("a scalar", [], { value: float32([0.5]) }),
];

const range = (name: string, numbers: readonly number[]): Case =>
  makeCase(
    "Range",
    name,
    numbers.map((n) => integers([n], [])),
  );
export const Range = [
  range("up", [0, 5, 1]),
  range("in steps over an uneven rest", [1, 9, 3]),
  range("down", [4, -2, -2]),
  range("nothing", [3, 3, 1]),
];

const where = (name: string, condition: Input, x: Input, y: Input): Case => makeCase("Where", name, [condition, x, y]);
export const Where = [
  where("vectors", booleans([1, 0, 0, 1]), normal(4), normal(4)),
  where("a row of conditions", booleans([1, 0, 1]), normal(2, 3), normal(2, 3)),
  where("everything broadcasts", booleans([0, 1]), normal(3, 1), normal()),
  where("images", booleans([0, 1, 1]), normal(2, 2, 1, 3), normal(2, 1, 2, 1)),
  where("whole numbers", booleans([0, 1]), integers([1, 2]), integers([-1, -1])),
];
