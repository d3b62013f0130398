import { ShapeError } from "./errors.ts";

/** Element types, as ONNX names them, with the array that holds each. `bool` is one byte per element, 0 or 1. */
export interface DataOf {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}
export type DType = keyof DataOf;

const ARRAYS: { readonly [D in DType]: new (length: number) => DataOf[D] } = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** A dense array in row-major order: the last axis is the fastest. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly data: DataOf[D];
}

/** The number of elements of a shape; 1 for a scalar's []. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, dimension) => size * dimension, 1);

/** @throws ShapeError where the data's length is not the shape's size. */
export function tensor<D extends DType>(dtype: D, shape: readonly number[], data: DataOf[D]): Tensor<D> {
  if (data.length !== sizeOf(shape))
    throw new ShapeError(`tensor: expected ${sizeOf(shape)} elements for shape [${shape}], received ${data.length}`);
  return { dtype, shape, data };
}

/** A tensor of zeros, or of false. */
export const zeros = <D extends DType>(dtype: D, shape: readonly number[]): Tensor<D> =>
  tensor(dtype, shape, new ARRAYS[dtype](sizeOf(shape)));

/** A float32 tensor of plain numbers, in row order: of shape [length] where none is given. @throws ShapeError where they are not as many as the shape holds. */
export const float32 = (values: ArrayLike<number>, shape: readonly number[] = [values.length]): Tensor<"float32"> =>
  tensor("float32", shape, Float32Array.from(values));

/**
 * An int64 tensor of plain whole numbers, in row order: of shape [length] where none is given.
 * @throws ShapeError where they are not as many as the shape holds. RangeError where one is not whole.
 */
export const int64 = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor<"int64"> =>
  tensor("int64", shape, BigInt64Array.from(values, BigInt));

/** A float32 tensor of one number, of shape []. */
export const scalar = (value: number): Tensor<"float32"> => float32([value], []);

/** The memory of each tensor, once. */
export const buffersOf = (tensors: Readonly<Record<string, Tensor>>): ArrayBuffer[] => [
  ...new Set(Object.values(tensors).map(({ data }) => data.buffer as ArrayBuffer)),
];

/** The elements as plain numbers. int64 beyond 2^53 loses digits. */
export const numbersOf = (t: Tensor): number[] => Array.from(t.data as ArrayLike<number | bigint>, Number);

/** The element type's array over part of a tensor's first axis, without copying: rows [from, to). */
export function rows<D extends DType>(t: Tensor<D>, from: number, to: number): Tensor<D> {
  const row = sizeOf(t.shape.slice(1));
  return tensor(t.dtype, [to - from, ...t.shape.slice(1)], t.data.subarray(from * row, to * row) as DataOf[D]);
}
