import { type DType, numbersOf, sizeOf, type Tensor, zeros } from "../../core/tensor.ts";
import type { Attributes } from "../../models/graph/graph.ts";

/** A dense row-major array that is computed in float64. `dtype` is the element type that it stands for in a graph. */
export interface Array64 {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** What one operator means: its outputs from its inputs and attributes, whose defaults are the operator text's own. */
export type ReferenceFunction = (inputs: readonly (Array64 | undefined)[], attributes: Attributes) => readonly Array64[];

/** An array of these numbers; of zeros where none are given. */
export function array64(shape: readonly number[], data?: ArrayLike<number>, dtype: DType = "float32"): Array64 {
  if (data && data.length !== sizeOf(shape))
    throw new Error(`array64: expected ${sizeOf(shape)} numbers for [${shape}], received ${data.length}`);
  return { dtype, shape, data: data ? Float64Array.from(data) : new Float64Array(sizeOf(shape)) };
}

/** One array from another's shape and type: each element by its flat index. */
export function like(x: Array64, at: (i: number) => number, dtype: DType = x.dtype): Array64 {
  const y = array64(x.shape, undefined, dtype);
  for (let i = 0; i < y.data.length; i++) y.data[i] = at(i);
  return y;
}

export const fromTensor = (t: Tensor): Array64 => array64(t.shape, numbersOf(t), t.dtype);

/** The same numbers in the type that they stand for: float32 rounds. */
export function toTensor({ dtype, shape, data }: Array64): Tensor {
  const t = zeros(dtype, shape);
  for (let i = 0; i < data.length; i++) t.data[i] = dtype === "int64" ? BigInt(data[i]) : data[i];
  return t;
}

/** Inputs that an operator cannot do without. */
export function required(inputs: readonly (Array64 | undefined)[], count: number): readonly Array64[] {
  const missing = Array.from({ length: count }, (_, i) => i).find((i) => inputs[i] === undefined);
  if (missing !== undefined) throw new Error(`reference: expected ${count} inputs, received none as number ${missing}`);
  return inputs as readonly Array64[];
}

export const number = (attributes: Attributes, name: string, otherwise: number): number =>
  (attributes[name] as number | undefined) ?? otherwise;

export const numbers = (attributes: Attributes, name: string, otherwise: readonly number[]): readonly number[] =>
  (attributes[name] as readonly number[] | undefined) ?? otherwise;

/** How far apart neighbours along each axis lie in memory. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

/** start + Σ position[i] · strides[i] for every position of a shape, in row-major order: any walk over an array is one of these. */
export function offsets(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  const all = new Int32Array(sizeOf(shape));
  const position = Array<number>(shape.length).fill(0);
  let offset = start;
  for (let i = 0; i < all.length; i++) {
    all[i] = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis];
      if (++position[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      position[axis] = 0;
    }
  }
  return all;
}

/** Elements of an array, by their flat indices. */
export function pick(x: Array64, shape: readonly number[], indices: ArrayLike<number>): Array64 {
  const y = array64(shape, undefined, x.dtype);
  for (let i = 0; i < indices.length; i++) y.data[i] = x.data[indices[i]];
  return y;
}

/** The multidirectional broadcast of two shapes: aligned at the last axis, a size of 1 repeats. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const padded = (shape: readonly number[]) => [...Array<number>(rank - shape.length).fill(1), ...shape];
  const [x, y] = [padded(a), padded(b)];
  return x.map((size, i) => {
    if (size !== y[i] && size !== 1 && y[i] !== 1) throw new Error(`reference: [${a}] and [${b}] do not broadcast`);
    return size === 1 ? y[i] : size;
  });
}

/** For every position of `shape`, the flat index of the element of an array of shape `from` that broadcasting puts there. */
export function broadcastOffsets(from: readonly number[], shape: readonly number[]): Int32Array {
  const lead = Array<number>(shape.length - from.length).fill(0);
  return offsets(shape, [...lead, ...stridesOf(from).map((stride, i) => (from[i] === 1 ? 0 : stride))]);
}

export const frontAxis = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
