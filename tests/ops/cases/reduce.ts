import type { Attributes } from "../../../models/graph/graph.ts";
import { type Case, distinct, type Input, integers, makeCase, normal } from "./case.ts";

const reductions = (op: string, draw: (...shape: number[]) => Input): Case[] => {
  const reduce = (name: string, shape: readonly number[], axes?: readonly number[], attributes?: Attributes): Case =>
    makeCase(op, name, [draw(...shape), ...(axes ? [integers(axes)] : [])], { attributes });
  return [
    reduce("everything, axes kept", [2, 3, 2]),
    reduce("everything to a scalar", [2, 3], undefined, { keepdims: 0 }),
    reduce("one axis", [2, 3, 2], [1]),
    reduce("one axis dropped", [2, 3, 2], [1], { keepdims: 0 }),
    reduce("axes from behind, out of order", [2, 3, 2, 2], [-1, 0]),
    reduce("the same, dropped", [2, 3, 2, 2], [-1, 0], { keepdims: 0 }),
    reduce("all but channels", [2, 3, 2, 2, 2], [0, 2, 3, 4], { keepdims: 0 }),
    reduce("an axis of size 1", [2, 1, 3], [1]),
    reduce("no axes: all", [2, 3], []),
    reduce("no axes: none", [2, 3], [], { noop_with_empty_axes: 1 }),
    reduce("axes left out: none", [2, 3], undefined, { noop_with_empty_axes: 1, keepdims: 0 }),
    reduce("a vector", [5], [0], { keepdims: 0 }),
    reduce("a scalar", []),
  ];
};

export const ReduceSum = reductions("ReduceSum", normal);
export const ReduceMean = reductions("ReduceMean", normal);
export const ReduceSumSquare = reductions("ReduceSumSquare", normal);
export const ReduceL2 = reductions("ReduceL2", normal);
export const ReduceProd = reductions("ReduceProd", normal);
export const ReduceMax = reductions("ReduceMax", distinct);

const cumSum = (name: string, shape: readonly number[], axis: number, attributes?: Attributes): Case =>
  makeCase("CumSum", name, [normal(...shape), integers([axis], [])], { attributes });
export const CumSum = [
  cumSum("a vector", [5], 0),
  cumSum("rows", [2, 3], 0),
  cumSum("from behind", [2, 3, 2], -2),
  cumSum("exclusive", [2, 4], 1, { exclusive: 1 }),
  cumSum("reverse", [2, 4], 1, { reverse: 1 }),
  cumSum("exclusive and reverse", [2, 3, 2], 1, { exclusive: 1, reverse: 1 }),
  cumSum("one element", [3, 1], 1, { exclusive: 1 }),
];

const softmaxes = (op: string): Case[] => [
  makeCase(op, "logits", [normal(2, 5)]),
  makeCase(op, "axis 1 of 4", [normal(2, 3, 2, 2)], { attributes: { axis: 1 } }),
  makeCase(op, "axis 0", [normal(3, 2)], { attributes: { axis: 0 } }),
  makeCase(op, "axis −2", [normal(2, 3, 2)], { attributes: { axis: -2 } }),
  makeCase(op, "one class", [normal(3, 1)]),
  makeCase(op, "a vector", [normal(4)]),
];

export const Softmax = softmaxes("Softmax");
export const LogSoftmax = softmaxes("LogSoftmax");
