import { type ZipEntry, zipEntries } from "../pipeline/make-zip.ts";

/** Opcodes of pickles, written by hand as Python's pickletools describes them. */
const ascii = (text: string): Buffer => Buffer.from(text, "latin1");
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
export const text = (value: string): Buffer => Buffer.concat([ascii("X"), u32(Buffer.byteLength(value)), Buffer.from(value)]);
export const int = (value: number): Buffer => Buffer.concat([ascii("J"), u32(value >>> 0)]);
export const tuple = (...items: readonly Buffer[]): Buffer => Buffer.concat([ascii("("), ...items, ascii("t")]);
export const named = (module: string, name: string): Buffer => ascii(`c${module}\n${name}\n`);
export const call = (callee: Buffer, ...args: readonly Buffer[]): Buffer => Buffer.concat([callee, tuple(...args), ascii("R")]);
export const dict = (entries: readonly (readonly [string, Buffer])[]): Buffer =>
  Buffer.concat([ascii("}("), ...entries.flatMap(([key, value]) => [text(key), value]), ascii("u")]);
const [FALSE, NONE, EMPTY] = [ascii("\x89"), ascii("N"), ascii("}")];
export const pickle = (...parts: readonly Buffer[]): Buffer => Buffer.concat([ascii("\x80\x02"), ...parts, ascii(".")]);

const WIDTHS: Readonly<Record<string, number>> = { FloatStorage: 4, DoubleStorage: 8, HalfStorage: 2, BFloat16Storage: 2, LongStorage: 8 };

export interface MadeStorage {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** In place of its own number of elements. */
  readonly elements?: number;
}
export interface MadeTensor {
  /** Which of the storages. */
  readonly storage: string;
  readonly shape: readonly number[];
  readonly offset?: number;
  readonly strides?: readonly number[];
}

export const floats = (...values: readonly number[]): MadeStorage => ({
  type: "FloatStorage",
  bytes: Buffer.from(Float32Array.from(values).buffer),
});

const rowMajor = (shape: readonly number[]): number[] => shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
const elementsOf = ({ type, bytes, elements = bytes.length / WIDTHS[type] }: MadeStorage): number => elements;

/** What a tensor is in a pickle. */
export function tensorOf(
  { storage, shape, offset = 0, strides = rowMajor(shape) }: MadeTensor,
  storages: Readonly<Record<string, MadeStorage>>,
  legacy = false,
): Buffer {
  const { type } = storages[storage];
  const id = tuple(
    text("storage"),
    named("torch", type),
    text(storage),
    text("cpu"),
    int(elementsOf(storages[storage])),
    ...(legacy ? [NONE] : []),
  );
  return call(
    named("torch._utils", "_rebuild_tensor_v2"),
    Buffer.concat([id, ascii("Q")]),
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    FALSE,
    EMPTY,
  );
}

export interface Made {
  readonly storages: Readonly<Record<string, MadeStorage>>;
  readonly tensors: Readonly<Record<string, MadeTensor>>;
  /** The keys that the state dict lies under. */
  readonly under?: string;
  readonly deflated?: boolean;
  readonly byteorder?: string;
  /** More entries of the zip, or others in place of its own. */
  readonly entries?: readonly ZipEntry[];
}

/** A state dict as PyTorch 1.6 and later save it, with an attribute on its OrderedDict as PyTorch's have. */
export function torchZip({ storages, tensors, under, deflated = false, byteorder, entries = [] }: Made): Buffer {
  const items = Object.entries(tensors).flatMap(([name, made]) => [text(name), tensorOf(made, storages)]);
  const state = Buffer.concat([
    call(named("collections", "OrderedDict")),
    ascii("("),
    ...items,
    ascii("u"),
    dict([["_metadata", EMPTY]]),
    ascii("b"),
  ]);
  const value =
    under === undefined
      ? state
      : dict([
          ["epoch", int(3)],
          [under, state],
        ]);
  const own: readonly ZipEntry[] = [
    { name: "net/data.pkl", content: pickle(value) },
    ...(byteorder === undefined ? [] : [{ name: "net/byteorder", content: ascii(byteorder) }]),
    ...Object.entries(storages).map(([key, { bytes }]) => ({ name: `net/data/${key}`, content: bytes })),
    { name: "net/version", content: ascii("3\n") },
  ];
  const replaced = own.filter(({ name }) => entries.every((entry) => entry.name !== name));
  return zipEntries([...replaced, ...entries].map((entry) => ({ stored: !deflated, ...entry })));
}

/** The same as PyTorch saved it before 1.6. */
export function torchLegacy({ storages, tensors }: Made, value?: Buffer): Buffer {
  const items = Object.entries(tensors).map(([name, made]) => [name, tensorOf(made, storages, true)] as const);
  const magic = Buffer.concat([ascii("\x8a\x0a"), Buffer.from("6cfc9c46f9206aa85019", "hex")]);
  const contents = Object.values(storages).flatMap((storage) => [u32(elementsOf(storage)), u32(0), Buffer.from(storage.bytes)]);
  return Buffer.concat([
    pickle(magic),
    pickle(int(1001)),
    pickle(dict([["little_endian", ascii("\x88")]])),
    pickle(value ?? dict(items)),
    pickle(ascii("]("), ...Object.keys(storages).map(text), ascii("e")),
    ...contents,
  ]);
}

/** A file of one small tensor. */
export const tinyTorch = (): Buffer => torchZip({ storages: { "0": floats(1, 2) }, tensors: { a: { storage: "0", shape: [2] } } });
