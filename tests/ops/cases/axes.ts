import type { Attributes } from "../../../models/graph/graph.ts";
import { type Case, type Input, integers, makeCase, normal, value } from "./case.ts";

const withAxes = (op: string, name: string, input: Input, axes?: readonly number[]): Case =>
  makeCase(op, name, [input, ...(axes ? [integers(axes)] : [])]);

export const Squeeze = [
  withAxes("Squeeze", "pixels of a global pool", normal(2, 3, 1, 1), [2, 3]),
  withAxes("Squeeze", "from behind", normal(2, 1, 3, 1), [-1]),
  withAxes("Squeeze", "the first axis", normal(1, 3, 2), [0]),
  withAxes("Squeeze", "no axes given: all of size 1", normal(1, 3, 1, 2)),
  withAxes("Squeeze", "to a scalar", normal(1, 1)),
  withAxes("Squeeze", "whole numbers", integers([5]), [0]),
];

export const Unsqueeze = [
  withAxes("Unsqueeze", "behind", normal(2, 3), [2, 3]),
  withAxes("Unsqueeze", "from behind, out of order", normal(2, 3), [-1, 1]),
  withAxes("Unsqueeze", "in front", normal(2, 3), [0]),
  withAxes("Unsqueeze", "a scalar", normal(), [0]),
  withAxes("Unsqueeze", "a whole number", integers([7], []), [0]),
];

const split = (name: string, input: Input, lengths: readonly number[], attributes?: Attributes): Case =>
  makeCase("Split", name, [input, integers(lengths)], { attributes });

export const Split = [
  split("channels", normal(2, 5, 2, 2), [2, 3], { axis: 1 }),
  split("features", normal(2, 6), [1, 3, 2], { axis: 1 }),
  split("from behind", normal(2, 2, 6), [2, 2, 2], { axis: -1 }),
  split("the batch", normal(3, 2), [1, 2]),
  split("one part", normal(4), [4]),
];

const resize = (name: string, shape: readonly number[], scales: readonly number[], attributes?: Attributes): Case =>
  makeCase("Resize", name, [normal(...shape), undefined, value(scales)], { attributes, held: [2] });

const asymmetric = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
export const Resize = [
  resize("by 2", [2, 3, 2, 3], [1, 1, 2, 2], asymmetric),
  resize("by 2, half pixels", [2, 2, 3, 2], [1, 1, 2, 2]),
  resize("by 3 and 1", [1, 2, 2, 3], [1, 1, 3, 1], asymmetric),
  resize("by 3, half pixels", [1, 2, 3, 2], [1, 1, 3, 3]),
  resize("by 4 and 2", [1, 1, 2, 2], [1, 1, 4, 2], asymmetric),
  resize("a single pixel", [2, 2, 1, 1], [1, 1, 3, 2]),
  makeCase("Resize", "to sizes", [normal(1, 2, 2, 3), undefined, undefined, integers([1, 2, 4, 6])], { attributes: asymmetric }),
];
