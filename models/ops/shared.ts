import { int64 } from "../../core/tensor.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { type Dimension, knownShape, type Value } from "../graph/graph.ts";

/** An operator without attributes. */
export type NoAttributes = Record<never, never>;

export const reshape = (g: GraphBuilder, x: Value, shape: readonly number[], name = `${x.name}/reshape`): Value =>
  sameShape(x.shape, shape) ? x : g.add("Reshape", [x, g.initializer(`${name}/shape`, int64(shape))], {}, name);

export const sameShape = (a: readonly Dimension[], b: readonly Dimension[]): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/** Σ over axes; the sum over none is the value. */
export const reduceSum = (g: GraphBuilder, x: Value, axes: readonly number[], keepdims: boolean): Value =>
  axes.length === 0 ? x : g.add("ReduceSum", [x, g.initializer("axes", int64(axes))], { keepdims: keepdims ? 1 : 0 });

/** Undoes broadcasting: sums over the axes along which `shape` was repeated, so that the result has that shape. */
export function sumTo(g: GraphBuilder, x: Value, target: Value): Value {
  const from = knownShape(x);
  const to = knownShape(target);
  const lead = from.length - to.length;
  const axes = from.flatMap((size, i) => (i < lead || (to[i - lead] === 1 && size !== 1) ? [i] : []));
  return reshape(g, reduceSum(g, x, axes, true), to);
}

/** A bool condition as 0 or 1 in float32. */
export const indicator = (g: GraphBuilder, condition: Value): Value => g.add("Cast", [condition], { to: FLOAT });

/** ONNX's number of float32 (TensorProto.DataType.FLOAT). */
export const FLOAT = 1;

/** Every axis of [N, C, …] but C. */
export const axesButChannels = (rank: number): number[] => Array.from({ length: rank }, (_, i) => i).filter((i) => i !== 1);

export const expand = (g: GraphBuilder, x: Value, shape: readonly number[]): Value =>
  sameShape(x.shape, shape) ? x : g.add("Expand", [x, g.initializer("shape", int64(shape))]);
