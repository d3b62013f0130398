import { ShapeError } from "../../core/errors.ts";
import { numbersOf, type Tensor } from "../../core/tensor.ts";
import { int, type OpDefinition, type Operand } from "../graph/op.ts";
import { broadcast, constantInts, need, needAll, sameType } from "../graph/shape.ts";
import { indicator, type NoAttributes, sumTo } from "./shared.ts";

export const Shape: OpDefinition<{ start: number; end: number | undefined }> = {
  summary: "The sizes of the axes from `start` to `end`, as int64.",
  sinceOpset: 15,
  attributes: { start: int(0), end: { type: "int", optional: true } },
  infer([operand], { start, end }) {
    const rank = need(operand, "data").shape.length;
    const clamp = (axis: number): number => Math.min(Math.max(axis < 0 ? axis + rank : axis, 0), rank);
    return [{ dtype: "int64", shape: [Math.max(0, clamp(end ?? rank) - clamp(start))] }];
  },
};

export const ConstantOfShape: OpDefinition<{ value: Tensor | undefined }> = {
  summary: "One number, float32 0 where none is given, as often as a shape says.",
  sinceOpset: 9,
  attributes: { value: { type: "tensor", optional: true } },
  infer([shape], { value }) {
    if (value && value.data.length !== 1) throw new ShapeError(`value: expected one number, received [${value.shape}]`);
    return [{ dtype: value?.dtype ?? "float32", shape: constantInts(shape, "input") }];
  },
};

export const Range: OpDefinition<NoAttributes> = {
  summary: "start, start + delta, … before limit.",
  sinceOpset: 11,
  attributes: {},
  infer(inputs) {
    const all = needAll(inputs, ["start", "limit", "delta"]);
    for (const other of all) sameType(all[0], other);
    const [start, limit, delta] = all.map(single);
    if (delta === 0) throw new ShapeError("a delta of 0");
    return [{ dtype: all[0].dtype, shape: [Math.max(0, Math.ceil((limit - start) / delta))] }];
  },
};

function single({ constant, shape }: Operand): number {
  if (constant?.data.length !== 1) throw new ShapeError(`start, limit and delta must be single constants, received [${shape}]`);
  return numbersOf(constant)[0];
}

export const Where: OpDefinition<NoAttributes> = {
  summary: "X where the condition holds, else Y, with broadcasting.",
  sinceOpset: 16,
  attributes: {},
  infer(inputs) {
    const [condition, x, y] = needAll(inputs, ["condition", "X", "Y"]);
    if (condition.dtype !== "bool") throw new ShapeError(`condition: expected bool, received ${condition.dtype}`);
    sameType(x, y);
    return [{ dtype: x.dtype, shape: broadcast(condition.shape, broadcast(x.shape, y.shape)) }];
  },
  gradient(g, { inputs: [condition, x, y], gradients: [dy] }) {
    const dx = g.add("Mul", [dy, indicator(g, condition)]);
    return [undefined, sumTo(g, dx, x), sumTo(g, g.add("Sub", [dy, dx]), y)];
  },
};
