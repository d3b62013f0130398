import { FivecropError, messageOf } from "../core/errors.ts";
import type { Named } from "../core/session.ts";
import { type DType, sizeOf, type Tensor, tensor, zeros } from "../core/tensor.ts";
import { duplicateKey } from "./duplicate-key.ts";
import { toFloat32 } from "./half.ts";

/** The longest header that a reader accepts, in bytes. */
const LONGEST_HEADER = 100_000_000;
const METADATA = "__metadata__";
const ALIGNMENT = 8;

/** How the format names each element type. */
const NAMES: { readonly [D in DType]: string } = { float32: "F32", float64: "F64", int32: "I32", int64: "I64", uint8: "U8", bool: "BOOL" };

/** What can be read: bytes an element, and the element type that it becomes. */
const READABLE: Readonly<Record<string, { readonly bytes: number; readonly dtype: DType }>> = {
  F64: { bytes: 8, dtype: "float64" },
  I64: { bytes: 8, dtype: "int64" },
  F32: { bytes: 4, dtype: "float32" },
  I32: { bytes: 4, dtype: "int32" },
  F16: { bytes: 2, dtype: "float32" },
  BF16: { bytes: 2, dtype: "float32" },
  U8: { bytes: 1, dtype: "uint8" },
  BOOL: { bytes: 1, dtype: "bool" },
};

/**
 * Tensors by name as a safetensors file: wide elements first, so that each tensor is aligned to its element's size.
 * @param metadata texts beside the tensors.
 * @see https://huggingface.co/docs/safetensors
 */
export function writeSafetensors(tensors: Named, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const width = ([, { data }]: readonly [string, Tensor]) => data.BYTES_PER_ELEMENT;
  const entries = Object.entries(tensors).sort((a, b) => width(b) - width(a));
  let at = 0;
  const header: Map<string, unknown> = new Map(Object.keys(metadata).length ? [[METADATA, metadata]] : []);
  for (const [name, { dtype, shape, data }] of entries) {
    if (name === METADATA) throw new FivecropError(`safetensors: no tensor may have the name '${METADATA}'`);
    header.set(name, { dtype: NAMES[dtype], shape, data_offsets: [at, at + data.byteLength] });
    at += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(8 + length + at);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(0x20, 8, 8 + length);
  bytes.set(text, 8);
  at = 8 + length;
  for (const [, { data }] of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * The tensors of a safetensors file. An aligned tensor is a view of the bytes, not a copy; F16 and BF16 become float32.
 * @param file what an error's message calls the bytes.
 * @throws FivecropError where the header or an offset is not as the format says: nothing is guessed.
 */
export function readSafetensors(
  bytes: Uint8Array,
  file = "safetensors",
): { readonly tensors: Named; readonly metadata: Readonly<Record<string, string>> } {
  const length = headerLength(bytes, bytes.length, file);
  const data = bytes.subarray(8 + length);
  const { metadata, entries } = readHeader(bytes.subarray(8, 8 + length), data.length, file);
  const tensors = Object.fromEntries(entries.map(([name, entry]) => [name, toTensor(entry, data.subarray(entry.begin, entry.end))]));
  return { tensors, metadata };
}

/**
 * What a safetensors file says before its tensors: their shapes, and the texts beside them.
 * @param header its bytes 8 to 8 + headerLength
 * @param size the whole file's, in bytes
 * @throws FivecropError as readSafetensors does
 */
export function readSafetensorsHeader(
  header: Uint8Array,
  size: number,
  file = "safetensors",
): { readonly shapes: Readonly<Record<string, readonly number[]>>; readonly metadata: Readonly<Record<string, string>> } {
  const { metadata, entries } = readHeader(header, size - 8 - header.length, file);
  return { metadata, shapes: Object.fromEntries(entries.map(([name, { shape }]) => [name, shape])) };
}

const failureOf =
  (file: string): Fail =>
  (what, cause) => {
    throw new FivecropError(`${file}: ${what}`, { cause });
  };

/** The length of a safetensors file's header, which begins at byte 8. @param bytes at least its first 8 @throws FivecropError where it is none */
export function headerLength(bytes: Uint8Array, size: number, file = "safetensors"): number {
  const fail = failureOf(file);
  if (size < 8 || bytes.length < 8) return fail(`expected a safetensors file, which has at least 8 bytes, found ${size}`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  if (length > LONGEST_HEADER || length > size - 8)
    fail(`expected a safetensors header within the file's ${size} bytes, found one of ${length}: the file is cut off or of another format`);
  return length;
}

/** The entries of a header, checked against one another and the data's length. */
function readHeader(
  header: Uint8Array,
  size: number,
  file: string,
): { readonly metadata: Readonly<Record<string, string>>; readonly entries: readonly (readonly [name: string, entry: Entry])[] } {
  const fail = failureOf(file);
  const { [METADATA]: metadata = {}, ...entries } = parseHeader(header, fail);
  if (!isRecord(metadata) || !Object.values(metadata).every((text) => typeof text === "string"))
    fail(`its ${METADATA}: expected texts by name`);

  let end = 0;
  const sorted = Object.entries(entries).map(
    ([name, entry]) => [name, toEntry(entry, (what) => fail(`tensor '${name}': ${what}`))] as const,
  );
  for (const [name, entry] of sorted.toSorted(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin !== end)
      fail(`tensor '${name}': expected its data to begin at ${end}, where the one before ends, found ${entry.begin}`);
    end = entry.end;
  }
  if (end !== size) fail(`expected ${end} bytes of data, found ${size}: the file is ${size < end ? "cut off" : "too long"}`);
  return { metadata: metadata as Readonly<Record<string, string>>, entries: sorted };
}

type Fail = (what: string, cause?: unknown) => never;
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function parseHeader(bytes: Uint8Array, fail: Fail): Readonly<Record<string, unknown>> {
  let header: unknown;
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (cause) {
    fail(`its header is no JSON text (${messageOf(cause)})`, cause);
  }
  if (!isRecord(header)) return fail("expected its header to be a JSON object");
  const twice = duplicateKey(text);
  if (twice !== undefined) fail(`its header has the key '${twice}' twice`);
  return header;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function toEntry(value: unknown, fail: Fail): Entry {
  const { dtype, shape, data_offsets } = isRecord(value) ? value : {};
  if (typeof dtype !== "string" || !Object.hasOwn(READABLE, dtype))
    return fail(`expected one of the types ${Object.keys(READABLE).join(", ")}, found ${JSON.stringify(dtype) ?? "none"}`);
  if (!Array.isArray(shape) || !shape.every(isSize)) return fail(`expected a shape, found ${JSON.stringify(shape) ?? "none"}`);
  if (!Array.isArray(data_offsets) || data_offsets.length !== 2 || !data_offsets.every(isSize) || data_offsets[0] > data_offsets[1])
    return fail(`expected data_offsets [begin, end], found ${JSON.stringify(data_offsets) ?? "none"}`);
  const [begin, end] = data_offsets as [number, number];
  const expected = sizeOf(shape) * READABLE[dtype].bytes;
  if (end - begin !== expected) return fail(`expected ${expected} bytes for ${dtype} [${shape}], found ${end - begin}`);
  return { dtype, shape, begin, end };
}

const CONSTRUCTORS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

function toTensor({ dtype: name, shape }: Entry, bytes: Uint8Array): Tensor {
  const { dtype, bytes: width } = READABLE[name];
  if (name === "F16" || name === "BF16") return tensor("float32", shape, toFloat32(name, bytes));
  if (bytes.byteOffset % width === 0)
    return tensor(dtype, shape, new CONSTRUCTORS[dtype](bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / width));
  const copy = zeros(dtype, shape);
  new Uint8Array(copy.data.buffer).set(bytes);
  return copy;
}
