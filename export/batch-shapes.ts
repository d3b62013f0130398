import { FivecropError } from "../core/errors.ts";
import { int64 } from "../core/tensor.ts";
import type { GraphBuilder } from "../models/graph/builder.ts";
import { type Dimension, factorOf, isOfBatch, type Value } from "../models/graph/graph.ts";
import type { Element, Known } from "./known.ts";

/** The number of elements for one batch. */
const product = (dimensions: readonly Dimension[], batch = 1): number =>
  dimensions.reduce<number>((all, d) => all * factorOf(d) * (isOfBatch(d) ? batch : 1), 1);

/**
 * The target of a Reshape with the batch as −1 (what is left), or as 0 (the axis as it is) where something else is left.
 * @param fixed the batch that the file was written for, which is free now
 * @returns undefined where the target says what it means already.
 */
export function reshapeTarget(
  target: readonly Element[],
  shape: readonly Dimension[],
  fixed: number | undefined,
): readonly number[] | undefined {
  if (target.some(isOfBatch)) {
    if (!target.includes(-1)) return target.map((d) => (isOfBatch(d) ? -1 : d));
    if (target.every((d, i) => !isOfBatch(d) || d === shape[i])) return target.map((d) => (isOfBatch(d) ? 0 : d));
    const left = product(shape) / product(target.filter((d) => d !== -1));
    return target.map((d) => (isOfBatch(d) ? -1 : d === -1 ? left : d));
  }
  if (fixed === undefined || !shape.some(isOfBatch)) return undefined;
  const numbers = target.map((d, i) => (d === 0 ? (shape[i] ?? 0) : d));
  if (numbers.some(isOfBatch)) return undefined;
  const left = product(shape, fixed) / product(numbers.filter((d) => d !== -1));
  const sizes = numbers.map((d) => (d === -1 ? left : Number(d)));
  const at = freedAxis(sizes, shape, fixed);
  return at < 0 ? undefined : sizes.map((size, i) => (i === at ? -1 : size));
}

/**
 * Which axis of a Reshape's target holds the batch, by the elements that stand before it. It is, in this order: an axis of just that size; what a multiple
 * of it begins with, as heads are merged behind the batch, but never of the last axis, which features have; what a multiple ends with, as positions before it.
 * Of an axis that is a multiple already, the batch may be its beginning or its end.
 */
function freedAxis(sizes: readonly number[], shape: readonly Dimension[], fixed: number): number {
  const axis = shape.findIndex(isOfBatch);
  const before = product(shape.slice(0, axis));
  const places = [...new Set([before, before * factorOf(shape[axis])])];
  const start = (i: number): number => product(sizes.slice(0, i));
  const find = (fits: (place: number, i: number) => boolean): number =>
    places.map((place) => sizes.findIndex((size, i) => size % fixed === 0 && fits(place, i))).find((i) => i >= 0) ?? -1;
  const rules: readonly ((place: number, i: number) => boolean)[] = [
    (place, i) => sizes[i] === fixed && start(i) === place,
    (place, i) => start(i) === place && i < sizes.length - 1,
    (place, i) => start(i + 1) === place * fixed,
    (place, i) => start(i) <= place && place * fixed <= start(i + 1),
  ];
  return rules.map(find).find((i) => i >= 0) ?? -1;
}

/**
 * The target of the Reshape that a Gather is where it takes every entry of a flat list once and in order, as exporters write a view of it.
 * @param fixed the batch that the file was written for, which is free now
 * @returns undefined where it is no such view.
 */
export function viewOfGather(indices: Known, shape: readonly Dimension[], fixed: number | undefined): readonly number[] | undefined {
  const [length] = shape;
  if (shape.length !== 1 || indices.shape.length === 0 || (isOfBatch(length) && fixed === undefined)) return undefined;
  if (indices.elements.length !== product(shape, fixed) || Array.from(indices.elements).some((index, i) => index !== i)) return undefined;
  return reshapeTarget(indices.shape, shape, fixed) ?? indices.shape;
}

/** The scales of a Resize to sizes along some axes, all where none are named; the batch stays. @returns undefined where the sizes do not say it. */
export function scalesOfSizes(
  sizes: readonly Element[],
  shape: readonly Dimension[],
  { axes = shape.map((_, i) => i), fixed }: { readonly axes?: readonly number[]; readonly fixed?: number },
): readonly number[] | undefined {
  const places = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
  const stays = (d: Dimension, size: Element): boolean => size === d || (fixed !== undefined && size === factorOf(d) * fixed);
  if (sizes.length !== axes.length || places.some((at, i) => isOfBatch(shape[at]) && !stays(shape[at], sizes[i]))) return undefined;
  return shape.map((d, at) => (isOfBatch(d) || !places.includes(at) ? 1 : Number(sizes[places.indexOf(at)]) / d));
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
