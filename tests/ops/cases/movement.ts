import type { Attributes } from "../../../models/graph/graph.ts";
import { type Case, type Input, integers, makeCase, normal, value } from "./case.ts";

const flatten = (name: string, input: Input, attributes: Attributes = {}): Case => makeCase("Flatten", name, [input], { attributes });
export const Flatten = [
  flatten("images", normal(2, 3, 2, 2)),
  flatten("axis 0", normal(2, 3), { axis: 0 }),
  flatten("axis −1", normal(2, 3, 4), { axis: -1 }),
  flatten("behind the last axis", normal(2, 3), { axis: 2 }),
  flatten("axis 3 of 5", normal(1, 2, 1, 3, 2), { axis: 3 }),
  flatten("a vector", normal(4)),
];

const reshape = (name: string, input: Input, shape: readonly number[]): Case => makeCase("Reshape", name, [input, integers(shape)]);
export const Reshape = [
  reshape("a 0 and a −1", normal(2, 3, 2, 2), [0, -1]),
  reshape("to more axes", normal(6, 2), [2, 3, 1, 2]),
  reshape("−1 in the middle", normal(2, 3, 4), [4, -1, 2]),
  reshape("0 behind −1", normal(2, 3, 4), [-1, 1, 0]),
  reshape("to a scalar", normal(1, 1), []),
  reshape("from a scalar", normal(), [1, -1]),
];

const transpose = (name: string, input: Input, perm: readonly number[]): Case =>
  makeCase("Transpose", name, [input], { attributes: { perm } });
export const Transpose = [
  transpose("a matrix", normal(2, 3), [1, 0]),
  transpose("NCHW → NHWC", normal(2, 3, 2, 4), [0, 2, 3, 1]),
  transpose("NCHW → CHWN", normal(2, 3, 2, 4), [1, 2, 3, 0]),
  transpose("rank 5, no axis stays", normal(2, 1, 3, 2, 2), [4, 2, 3, 0, 1]),
  transpose("a cycle of three, which is not its own inverse", normal(2, 3, 4), [2, 0, 1]),
  transpose("nothing moves", normal(2, 3), [0, 1]),
  transpose("a vector", normal(3), [0]),
];

const expand = (name: string, input: Input, shape: readonly number[]): Case => makeCase("Expand", name, [input, integers(shape)]);
export const Expand = [
  expand("a scalar", normal(), [2, 3]),
  expand("a 1 in the target keeps the input's size", normal(3, 1), [1, 4]),
  expand("more axes in front", normal(2, 1), [3, 1, 2, 2]),
  expand("fewer axes in the target", normal(2, 3, 1), [2]),
  expand("nothing grows", normal(2, 3), [2, 3]),
];

const concat = (name: string, inputs: readonly Input[], axis: number): Case => makeCase("Concat", name, inputs, { attributes: { axis } });
export const Concat = [
  concat("channels", [normal(2, 3, 2, 2), normal(2, 1, 2, 2), normal(2, 2, 2, 2)], 1),
  concat("axis −1", [normal(2, 1), normal(2, 3)], -1),
  concat("axis 0", [normal(1, 2, 3), normal(2, 2, 3)], 0),
  concat("an empty part", [normal(2, 2), normal(2, 0), normal(2, 1)], 1),
  concat("one input", [normal(2, 2)], -2),
  concat("vectors", [normal(2), normal(1), normal(3)], 0),
];

const LAST = 2 ** 31 - 1;
const slice = (name: string, input: Input, ...rest: readonly (readonly number[])[]): Case =>
  makeCase("Slice", name, [input, ...rest.map((numbers) => (numbers.length ? integers(numbers) : undefined))]);
export const Slice = [
  slice("no axes given", normal(3, 4), [1, 0], [3, 3]),
  slice("one axis from behind", normal(2, 5), [-3], [-1], [-1]),
  slice("a step of 2", normal(2, 7), [1], [LAST], [1], [2]),
  slice("a step of 3 over an uneven rest", normal(8), [0], [8], [0], [3]),
  slice("backwards, whole axis", normal(2, 4), [-1], [-LAST], [1], [-1]),
  slice("backwards in twos from the last, both axes", normal(3, 5), [LAST, 3], [-LAST, 0], [0, 1], [-1, -2]),
  slice("two axes out of order, steps of their own", normal(2, 3, 4, 3), [0, 1], [3, LAST], [3, 2], [2, 1]),
  slice("steps without axes", normal(4, 4), [0, 1], [4, 4], [], [2, 3]),
  slice("bounds outside of the axis are clamped", normal(3), [-9], [9], [0]),
  slice("nothing is left", normal(2, 3), [2], [1], [1]),
];

const pad = (name: string, input: Input, pads: readonly number[], fill?: Input): Case =>
  makeCase("Pad", name, [input, integers(pads), ...(fill ? [fill] : [])], { fixed: [2] });
export const Pad = [
  pad("images", normal(1, 2, 2, 3), [0, 0, 1, 2, 0, 0, 0, 1]),
  pad("a value", normal(2, 2), [1, 0, 0, 2], value([1.5], [])),
  pad("negative pads crop", normal(4, 5), [-1, -2, 0, -1]),
  pad("crop and pad", normal(3, 3), [-1, 2, 1, -1], value([-0.5], [])),
  pad("channels of a batch", normal(2, 2, 2), [0, 1, 0, 0, 2, 0]),
  pad("a vector", normal(3), [2, 0]),
  pad("nothing", normal(2, 2), [0, 0, 0, 0]),
];

const gather = (name: string, input: Input, indices: Input, attributes: Attributes = {}): Case =>
  makeCase("Gather", name, [input, indices], { attributes });
export const Gather = [
  gather("rows, one of them twice", normal(3, 2), integers([2, 0, 2])),
  gather("from behind along the last axis", normal(2, 4), integers([-1, 0, -4]), { axis: -1 }),
  gather("a scalar index drops the axis", normal(2, 3, 2), integers([1], []), { axis: 1 }),
  gather("a matrix of indices", normal(2, 3, 2), integers([0, 1, 2, -1], [2, 2]), { axis: 1 }),
  gather("one entry, the axis stays", normal(2, 3, 2), integers([-1]), { axis: 1 }),
  gather("a scalar index into features", normal(3, 4), integers([2], []), { axis: 1 }),
  gather("a channel of images", normal(2, 3, 2, 2), integers([1], []), { axis: 1 }),
  gather("channels of images", normal(2, 4, 2, 2), integers([3, 1]), { axis: 1 }),
  gather("from a vector", normal(4), integers([3, 3])),
];
