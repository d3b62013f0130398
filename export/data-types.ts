import type { DType } from "../core/tensor.ts";

/** TensorProto.DataType's number of each element type. */
export const DATA_TYPES: { readonly [D in DType]: number } = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float64: 11 };

/** The element type of a TensorProto.DataType's number; `undefined` for one that is not supported (float16, string, …). */
export const dtypeOf = (dataType: number): DType | undefined =>
  (Object.keys(DATA_TYPES) as DType[]).find((dtype) => DATA_TYPES[dtype] === dataType);

/** AttributeProto.AttributeType's number of each kind of attribute that the operators know. */
export const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, tensor: 4, ints: 7 } as const;

/** Names of AttributeProto.AttributeType by number, for messages. */
export const ATTRIBUTE_TYPE_NAMES: readonly string[] = [
  "unstated",
  "float",
  "int",
  "string",
  "tensor",
  "graph",
  "floats",
  "ints",
  "strings",
  "tensors",
  "graphs",
];
