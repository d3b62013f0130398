import { sizeOf } from "../core/tensor.ts";
import { isOfBatch } from "../models/graph/graph.ts";
import { broadcast, canonicalAxis } from "../models/graph/shape.ts";
import type { Fold } from "./fold.ts";
import { type Element, type Known, known } from "./known.ts";

/** Elements by their places; numbers stay in the array of their type. */
function pick(x: Known, shape: readonly number[], places: ArrayLike<number>): Known {
  const { elements } = x;
  const picked = elements instanceof Float32Array ? Float32Array.from(places, (i) => elements[i]) : Array.from(places, (i) => elements[i]);
  return known(x.dtype, shape, picked);
}

const numbers = (x: Known | undefined): number[] | undefined => {
  const list = x && Array.from(x.elements);
  return list?.some(isOfBatch) ? undefined : (list as number[] | undefined);
};

/** The place in a tensor of this shape for each element of the result, whose axes step by these strides from an offset. */
function strided(sizes: readonly number[], strides: readonly number[], offset = 0): Int32Array {
  const places = new Int32Array(sizeOf(sizes));
  const at = Array<number>(sizes.length).fill(0);
  let place = offset;
  for (let i = 0; i < places.length; i++) {
    places[i] = place;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      at[axis]++;
      place += strides[axis];
      if (at[axis] < sizes[axis]) break;
      place -= strides[axis] * sizes[axis];
      at[axis] = 0;
    }
  }
  return places;
}

const stridesOf = (shape: readonly number[]): number[] => shape.map((_, i) => sizeOf(shape.slice(i + 1)));

const transpose: Fold = ({ inputs: [x], attributes: { perm } }) => {
  if (!x) return undefined;
  const order = Array.isArray(perm) ? (perm as number[]) : x.shape.map((_, i) => x.shape.length - 1 - i);
  const strides = stridesOf(x.shape);
  const sizes = order.map((axis) => x.shape[axis]);
  return pick(
    x,
    sizes,
    strided(
      sizes,
      order.map((axis) => strides[axis]),
    ),
  );
};

const reshape: Fold = ({ inputs: [x, target], attributes: { allowzero = 0 } }) => {
  const wanted = numbers(target)?.map((d, i) => (d === 0 && !allowzero ? (x?.shape[i] ?? 0) : d));
  if (!x || !wanted) return undefined;
  const left = sizeOf(x.shape) / sizeOf(wanted.filter((d) => d !== -1));
  return known(
    x.dtype,
    wanted.map((d) => (d === -1 ? left : d)),
    x.elements,
  );
};

const squeeze: Fold = ({ inputs: [x, list] }) => {
  if (!x) return undefined;
  const axes = list && numbers(list)?.map((axis) => canonicalAxis(axis, x.shape.length));
  return known(
    x.dtype,
    x.shape.filter((d, i) => (axes ? !axes.includes(i) : d !== 1)),
    x.elements,
  );
};

const unsqueeze: Fold = ({ inputs: [x, list] }) => {
  const given = numbers(list);
  if (!x || !given) return undefined;
  const rank = x.shape.length + given.length;
  const axes = given.map((axis) => canonicalAxis(axis, rank));
  const rest = [...x.shape];
  return known(
    x.dtype,
    Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!)),
    x.elements,
  );
};

/** A constant is not repeated to more elements than these. */
const MOST_EXPANDED = 2 ** 24;

/** Entries along an axis by a list, of which a scalar takes the axis away. */
const gather: Fold = ({ inputs: [x, indices], attributes: { axis = 0 } }) => {
  const list = numbers(indices);
  if (!x || !list || !indices) return undefined;
  const at = canonicalAxis(Number(axis), x.shape.length);
  const [before, size, behind] = [sizeOf(x.shape.slice(0, at)), x.shape[at], sizeOf(x.shape.slice(at + 1))];
  const places: number[] = [];
  for (let b = 0; b < before; b++)
    for (const i of list) for (let k = 0; k < behind; k++) places.push((b * size + (i < 0 ? i + size : i)) * behind + k);
  return pick(x, [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)], places);
};

const slice: Fold = ({ inputs: [x, ...lists] }) => {
  const [starts, ends, givenAxes, givenSteps] = lists.map(numbers);
  if (!x || !starts || !ends) return undefined;
  const sizes = [...x.shape];
  const strides = stridesOf(x.shape);
  let offset = 0;
  for (const [i, start] of starts.entries()) {
    const axis = canonicalAxis(givenAxes?.[i] ?? i, x.shape.length);
    const [size, step] = [x.shape[axis], givenSteps?.[i] ?? 1];
    const clamp = (at: number, low: number, high: number) => Math.min(Math.max(at < 0 ? at + size : at, low), high);
    const from = step > 0 ? clamp(start, 0, size) : clamp(start, 0, size - 1);
    const to = step > 0 ? clamp(ends[i], 0, size) : clamp(ends[i], -1, size - 1);
    offset += from * strides[axis];
    sizes[axis] = Math.max(0, Math.ceil((to - from) / step));
    strides[axis] *= step;
  }
  return pick(x, sizes, strided(sizes, strides, offset));
};

const concat: Fold = ({ inputs, attributes: { axis = 0 } }) => {
  const all = inputs.filter((x) => x !== undefined);
  if (all.length !== inputs.length || all.some((x) => x.shape.length !== 1) || Number(axis) > 0) return undefined;
  const elements = all.flatMap((x): Element[] => Array.from(x.elements));
  return known(all[0].dtype, [elements.length], elements);
};

const expand: Fold = ({ inputs: [x, target] }) => {
  const wanted = numbers(target);
  if (!x || !wanted) return undefined;
  const shape = broadcast(x.shape, wanted) as number[];
  if (sizeOf(shape) > MOST_EXPANDED) return undefined;
  const own = stridesOf(x.shape);
  const lead = shape.length - x.shape.length;
  return pick(
    x,
    shape,
    strided(
      shape,
      shape.map((_, i) => (i < lead || x.shape[i - lead] === 1 ? 0 : own[i - lead])),
    ),
  );
};

/** Operators that only move elements: of constants of any size. */
export const MOVEMENTS = {
  Concat: concat,
  Expand: expand,
  Gather: gather,
  Identity: ({ inputs: [x] }) => x,
  Reshape: reshape,
  Slice: slice,
  Squeeze: squeeze,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
} as const satisfies Readonly<Record<string, Fold>>;
