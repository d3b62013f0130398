import { FivecropError, messageOf } from "../core/errors.ts";
import { type DType, sizeOf, type Tensor, tensor, zeros } from "../core/tensor.ts";
import { dtypeOf } from "./data-types.ts";

type Integer = number | { toString(): string };

/** A TensorProto as decoded: its elements are raw bytes, or numbers in the field of their type. */
export interface EncodedTensor {
  readonly name?: string | null;
  readonly dataType?: number | null;
  readonly dims?: readonly Integer[] | null;
  readonly rawData?: Uint8Array | null;
  readonly floatData?: readonly number[] | null;
  readonly doubleData?: readonly number[] | null;
  readonly int32Data?: readonly number[] | null;
  readonly int64Data?: readonly Integer[] | null;
  /** 1: the elements lie in another file. */
  readonly dataLocation?: number | null;
  /** Where: `location`, and in it `offset` and `length` in bytes. */
  readonly externalData?: readonly { readonly key?: string | null; readonly value?: string | null }[] | null;
}

const FIELDS: { readonly [D in DType]: "floatData" | "doubleData" | "int32Data" | "int64Data" } = {
  float32: "floatData",
  float64: "doubleData",
  int32: "int32Data",
  int64: "int64Data",
  uint8: "int32Data",
  bool: "int32Data",
};

const BYTES: { readonly [D in DType]: number } = { float32: 4, float64: 8, int32: 4, int64: 8, uint8: 1, bool: 1 };

/**
 * The tensor of a TensorProto, its elements copied.
 * @param where begins an error's message.
 * @param external the bytes of a file beside the model; left out, elements that lie in one are refused.
 * @throws FivecropError for an element type that is not supported, elements that cannot be reached, or a wrong number of them.
 */
export function toTensor(encoded: EncodedTensor, where: string, external?: (location: string) => Uint8Array): Tensor {
  const { dataType, dims } = encoded;
  const dtype = dtypeOf(dataType ?? 0);
  if (!dtype) throw new FivecropError(`${where}: the element type ${dataType} (TensorProto.DataType) is not supported`);
  const rawData = encoded.dataLocation === 1 ? externalBytes(encoded, where, external) : encoded.rawData;
  const shape = (dims ?? []).map(Number);
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0))
    throw new FivecropError(`${where}: expected a shape of whole numbers from 0, found [${shape}]`);
  const size = sizeOf(shape);
  const numbers = encoded[FIELDS[dtype]] ?? [];
  const expected = rawData?.length ? size * BYTES[dtype] : size;
  const found = rawData?.length || numbers.length;
  if (found !== expected)
    throw new FivecropError(
      `${where}: expected ${expected} ${rawData?.length ? "bytes" : "numbers"} for ${dtype} [${shape}], found ${found}`,
    );
  const result = zeros(dtype, shape);
  const { data } = result;
  if (rawData?.length) new Uint8Array(data.buffer).set(rawData);
  else if (data instanceof BigInt64Array) for (let i = 0; i < found; i++) data[i] = BigInt(String(numbers[i]));
  else for (let i = 0; i < found; i++) data[i] = numbers[i] as number;
  return result;
}

/** The part of another file that a tensor's elements are. @see https://onnx.ai/onnx/repo-docs/ExternalData.html */
function externalBytes({ externalData }: EncodedTensor, where: string, read: ((location: string) => Uint8Array) | undefined): Uint8Array {
  const { location, offset = "0", length } = Object.fromEntries((externalData ?? []).map(({ key, value }) => [key, value ?? undefined]));
  if (!read || !location)
    throw new FivecropError(`${where}: its numbers lie in another file. To fix: save the model with its weights inside.`);
  let bytes: Uint8Array;
  try {
    bytes = read(location);
  } catch (cause) {
    throw new FivecropError(`${where}: ${messageOf(cause)}`, { cause });
  }
  const from = Number(offset);
  const to = length === undefined ? bytes.length : from + Number(length);
  if (!(from >= 0 && to >= from && to <= bytes.length))
    throw new FivecropError(`${where}: its numbers are bytes ${from} to ${to} of ${location}, which has ${bytes.length}`);
  return bytes.subarray(from, to);
}

/** The decimal with the fewest digits that float32 stores as this: 1e-5 for 0.000009999999747378752. */
export function shortestDecimal(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === value) return decimal;
  }
  return value;
}

/** Integers as an int64 tensor, from numbers or 64-bit objects: a list where no shape is given. */
export const toInt64 = (integers: readonly Integer[], shape: readonly number[] = [integers.length]): Tensor<"int64"> =>
  tensor(
    "int64",
    shape,
    BigInt64Array.from(integers, (integer) => BigInt(String(integer))),
  );
