import { sizeOf, type Tensor, tensor } from "../core/tensor.ts";
import { toFloat32 } from "./half.ts";
import type { Fail } from "./pickle.ts";

/** A tensor of a weights file, which is read when it is asked for. */
export interface StoredTensor {
  /** As its file calls it: `float32`, `int64`. */
  readonly type: string;
  readonly shape: readonly number[];
  /** Its values as float32; absent where they are no floating-point numbers. */
  readonly read?: () => Tensor<"float32">;
}

/** How each element type of PyTorch's storages is kept: bytes an element, and its little-endian bytes as float32. */
const ELEMENTS: Readonly<Record<string, { readonly bytes: number; readonly decode?: (bytes: Uint8Array) => Float32Array }>> = {
  float32: { bytes: 4, decode: (bytes) => new Float32Array(aligned(bytes)) },
  float64: { bytes: 8, decode: (bytes) => Float32Array.from(new Float64Array(aligned(bytes))) },
  float16: { bytes: 2, decode: (bytes) => toFloat32("F16", bytes) },
  bfloat16: { bytes: 2, decode: (bytes) => toFloat32("BF16", bytes) },
  int64: { bytes: 8 },
  int32: { bytes: 4 },
  int16: { bytes: 2 },
  int8: { bytes: 1 },
  uint8: { bytes: 1 },
  bool: { bytes: 1 },
};

const aligned = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** What a pickle calls the storages of each type. */
const STORAGES: Readonly<Record<string, string>> = {
  FloatStorage: "float32",
  DoubleStorage: "float64",
  HalfStorage: "float16",
  BFloat16Storage: "bfloat16",
  LongStorage: "int64",
  IntStorage: "int32",
  ShortStorage: "int16",
  CharStorage: "int8",
  ByteStorage: "uint8",
  BoolStorage: "bool",
};

/** The elements that tensors are views of. */
interface Storage {
  readonly type: string;
  /** In elements. */
  readonly length: number;
  /** Elements before its first in the bytes that are kept. */
  readonly from: number;
  readonly bytes: () => Uint8Array;
}

/** Where storages are kept. */
export interface StorageSource {
  /** Finds a storage of so many bytes, which are read when they are asked for. @throws where it is not there, or of another size */
  readonly open: (key: string, length: number) => () => Uint8Array;
  readonly bigEndian: () => boolean;
  readonly fail: Fail;
}

const [TYPE, STORAGE, TENSOR] = [Symbol("type"), Symbol("storage"), Symbol("tensor")];
const tagged = <T>(tag: symbol, value: T): object => ({ [tag]: value });
const untag = <T>(tag: symbol, value: unknown): T | undefined =>
  typeof value === "object" && value !== null && Object.hasOwn(value, tag) ? (value as Record<symbol, T>)[tag] : undefined;

/** A pickled value as a tensor; undefined where it is none. */
export const asTensor = (value: unknown): StoredTensor | undefined => untag(TENSOR, value);

/** As PyTorch has it. */
const MOST_AXES = 64;
const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isShape = (value: unknown): value is readonly number[] => Array.isArray(value) && value.length <= MOST_AXES && value.every(isIndex);

/** What a pickle of tensors may name, and what its persistent ids stand for. */
export function torchPickle(source: StorageSource): {
  readonly globals: ReadonlyMap<string, unknown>;
  readonly persistent: (id: unknown) => unknown;
} {
  const { fail } = source;
  const rebuild = (storage: unknown, offset: unknown, shape: unknown, strides: unknown): object => {
    const elements = untag<Storage>(STORAGE, storage);
    if (!elements || !isIndex(offset) || !isShape(shape) || !isShape(strides) || strides.length !== shape.length)
      return fail("expected a tensor's storage, offset, shape and strides, found something else in their place");
    return tagged(TENSOR, viewOf(elements, { offset, shape, strides }, source));
  };
  const globals = new Map<string, unknown>([
    ["collections.OrderedDict", (...items: unknown[]) => (items.length ? fail("an OrderedDict with arguments") : new Map())],
    ["torch._utils._rebuild_tensor", rebuild],
    ["torch._utils._rebuild_tensor_v2", rebuild],
    [
      "torch._utils._rebuild_parameter",
      (data: unknown) => (asTensor(data) ? data : fail("expected a parameter's tensor, found something else in its place")),
    ],
    ["torch.Size", (shape: unknown) => shape],
    ...Object.entries(STORAGES).map(([name, type]) => [`torch.${name}`, tagged(TYPE, type)] as const),
  ]);
  return { globals, persistent: (id) => tagged(STORAGE, openStorage(id, source)) };
}

/** ("storage", type, key, location, elements), and in the older format the part of them that is meant, or None. */
function openStorage(id: unknown, { open, fail }: StorageSource): Storage {
  const [kind, typeTag, key, , elements, view] = Array.isArray(id) ? id : [];
  const type = untag<string>(TYPE, typeTag);
  if (kind !== "storage" || type === undefined || typeof key !== "string" || !isIndex(elements))
    return fail("expected a storage's type, key and size, found something else in their place");
  const [, from, length] = Array.isArray(view) ? view : [key, 0, elements];
  if (!isIndex(from) || !isIndex(length) || from + length > elements)
    return fail(`storage '${key}': a part of it is asked for that lies outside of its ${elements} elements`);
  return { type, from, length, bytes: open(key, elements * ELEMENTS[type].bytes) };
}

interface View {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A tensor over part of a storage. Nothing is read yet. */
function viewOf(storage: Storage, view: View, { bigEndian, fail }: StorageSource): StoredTensor {
  const { type, length, from } = storage;
  const { offset, shape, strides } = view;
  const size = sizeOf(shape);
  const extent = size === 0 ? 0 : 1 + shape.reduce((sum, dimension, i) => sum + (dimension - 1) * strides[i], 0);
  if (!isIndex(size) || offset + extent > length)
    return fail(`a tensor [${shape}] with strides [${strides}] at ${offset} does not lie within its storage of ${length} elements`);
  const { bytes: width, decode } = ELEMENTS[type];
  if (!decode) return { type, shape };
  const read = (): Tensor<"float32"> => {
    const begin = (from + offset) * width;
    const part = storage.bytes().subarray(begin, begin + extent * width);
    const elements = decode(bigEndian() ? swapped(part, width) : part);
    return tensor("float32", shape, gather(elements, shape, strides));
  };
  return { type, shape, read };
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const result = new Uint8Array(bytes);
  for (let i = 0; i < result.length; i += width) result.subarray(i, i + width).reverse();
  return result;
}

/** Elements in row-major order, from where the strides say that they are. */
function gather(elements: Float32Array, shape: readonly number[], strides: readonly number[]): Float32Array {
  const result = new Float32Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let i = 0, at = 0; i < result.length; i++) {
    result[i] = elements[at];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}
