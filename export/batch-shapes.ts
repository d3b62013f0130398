import { FivecropError } from "../core/errors.ts";
import { int64 } from "../core/tensor.ts";
import type { GraphBuilder } from "../models/graph/builder.ts";
import type { Dimension, Value } from "../models/graph/graph.ts";
import { type Element, isOfBatch, type Known } from "./known.ts";

const product = (dimensions: readonly (Dimension | Element)[], batch: number): number =>
  dimensions.reduce<number>((all, d) => all * (isOfBatch(d as Element) ? batch : Number(d)), 1);

/**
 * The target of a Reshape with the batch as −1 (what is left), or as 0 (the axis as it is) where something else is left.
 * @param fixed the batch that the file was written for: it is freed where the target has it in the place of the input's batch axis, with as many elements before it.
 * @returns undefined where the target says what it means already.
 */
export function reshapeTarget(
  target: readonly Element[],
  shape: readonly Dimension[],
  fixed: number | undefined,
): readonly number[] | undefined {
  if (target.some(isOfBatch)) {
    const asLeft = !target.includes(-1);
    return target.map((d, i) => (isOfBatch(d) ? (asLeft || d !== shape[i] ? -1 : 0) : d));
  }
  const axis = shape.indexOf("N");
  if (fixed === undefined || axis < 0) return undefined;
  const numbers = target.map((d, i) => (d === 0 ? (shape[i] ?? 0) : d)) as readonly Dimension[];
  if (numbers.includes("N")) return undefined;
  const left =
    product(shape, fixed) /
    product(
      numbers.filter((d) => d !== -1),
      fixed,
    );
  const sizes = numbers.map((d) => (d === -1 ? left : Number(d)));
  const before = product(shape.slice(0, axis), fixed);
  const at = sizes.findIndex((size, i) => size === fixed && product(sizes.slice(0, i), fixed) === before);
  return at < 0 ? undefined : sizes.map((size, i) => (i === at ? -1 : size));
}

/** Zeros of [N, 1, …], as many axes as wanted: a file can only repeat something as often as there are images by reading one of their axes. */
function batchOfZeros(g: GraphBuilder, images: Value, rank: number): Value {
  const axes = images.shape.map((_, i) => i).slice(1);
  const mean = g.add("ReduceMean", [images, g.initializer("batch/axes", int64(axes))], { keepdims: 1 }, "batch/mean");
  const zero = g.add("Mul", [mean, g.scalar(0)], {}, "batch/zeros");
  return g.add("Reshape", [zero, g.initializer("batch/shape", int64([0, ...Array<number>(rank - 1).fill(1)]))], {}, "batch/column");
}

/**
 * Expand to [N, …] as a sum with zeros of that many rows.
 * @throws FivecropError where anything but the first axis is repeated with the batch.
 */
export function expandTo(g: GraphBuilder, x: Value | undefined, target: Known | undefined, images: Value): Value {
  const wanted = target ? Array.from(target.elements) : [];
  const rank = Math.max(wanted.length, x?.shape.length ?? 0);
  const others = wanted.slice(1).every((d, i) => !isOfBatch(d) && (d === 1 || d === x?.shape[i + 1 - (rank - (x?.shape.length ?? 0))]));
  if (x?.dtype !== "float32" || wanted[0] !== "N" || !others)
    throw new FivecropError(`it expands [${x?.shape}] to [${wanted}], which is only supported along the first axis`);
  return x.shape[0] === "N" ? x : g.add("Add", [x, batchOfZeros(g, images, rank)]);
}

/** Values that are put together along another axis: where some have the batch as their first axis, one that was written for a batch of 1 gets it too. */
export function sameBatch(g: GraphBuilder, values: readonly (Value | undefined)[], images: Value): readonly (Value | undefined)[] {
  if (!values.some((value) => value?.shape[0] === "N")) return values;
  return values.map((value) =>
    value?.dtype === "float32" && value.shape[0] === 1 && value.shape.length > 1
      ? g.add("Add", [value, batchOfZeros(g, images, value.shape.length)])
      : value,
  );
}
