import { crc32, inflateRawSync } from "node:zlib";
import yauzl from "yauzl";
import { FivecropError, messageOf } from "../core/errors.ts";
import { type Fail, readPickle } from "./pickle.ts";
import { asTensor, type StoredTensor, torchPickle } from "./torch-tensors.ts";

/** Weights hardly compress: what a file may become, unpacked, is this much and so many times its size. */
const [UNPACKED_BASE, UNPACKED_TIMES] = [64e6, 16];
const DEFLATED = 8;

/** A state dict as a file holds it. */
export interface StateDict {
  /** `PyTorch`, or `PyTorch before 1.6`. */
  readonly format: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The key that it lies under, where the file holds more than it. */
  readonly under?: string;
}

/** Whether bytes are a zip, as torch.save writes since PyTorch 1.6. */
export const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;

/**
 * The tensors of a state dict that torch.save wrote, in the format of PyTorch 1.6 and later or the one before. Knows tensors and containers only and
 * executes nothing; a tensor's values are read when they are asked for.
 * @param file what an error's message calls the bytes
 * @throws FivecropError where it is damaged or no such file, or asks for anything else, which is named.
 */
export async function readTorchFile(bytes: Uint8Array, file: string): Promise<StateDict> {
  const fail: Fail = (what, cause) => {
    throw new FivecropError(`${file}: ${what}.`, { cause });
  };
  try {
    const value = isZip(bytes) ? await readZipped(bytes, fail) : readLegacy(bytes, fail);
    return { format: isZip(bytes) ? "PyTorch" : "PyTorch before 1.6", ...stateDictOf(value, fail) };
  } catch (cause) {
    if (cause instanceof FivecropError) throw cause;
    return fail(`cannot be read as a file of PyTorch's: it is damaged or cut off (${messageOf(cause)})`, cause);
  }
}

/** What training scripts keep a state dict under, beside an optimizer's state and the epoch. */
const WRAPPERS = ["state_dict", "model", "model_state_dict"];

function stateDictOf(value: unknown, fail: Fail): Pick<StateDict, "tensors" | "under"> {
  if (!(value instanceof Map)) return fail("expected a state dict, tensors by name, found something else");
  const under = WRAPPERS.find((key) => value.get(key) instanceof Map);
  const dict: ReadonlyMap<unknown, unknown> = under === undefined ? value : value.get(under);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of dict) {
    const found = asTensor(entry);
    if (found && typeof name === "string") tensors.set(name, found);
  }
  if (tensors.size === 0)
    fail(`expected a state dict, tensors by name, or one under ${WRAPPERS.map((key) => `'${key}'`).join(", ")}, found ${keysText(dict)}`);
  return { tensors, under };
}

const keysText = (dict: ReadonlyMap<unknown, unknown>): string =>
  dict.size
    ? `the keys ${[...dict.keys()]
        .slice(0, 5)
        .map((key) => `'${key}'`)
        .join(", ")}`
    : "an empty dictionary";

/** NAME/data.pkl, and NAME/data/KEY for each storage. */
async function readZipped(bytes: Uint8Array, fail: Fail): Promise<unknown> {
  const open = await openZip(bytes, fail);
  const pickle = open.names.filter((name) => /(^|\/)data\.pkl$/.test(name)).sort((a, b) => a.length - b.length)[0];
  if (pickle === undefined) return fail("expected a zip that torch.save wrote, with a data.pkl, found none in it");
  const folder = pickle.slice(0, -"data.pkl".length);
  const order = open.names.includes(`${folder}byteorder`) ? new TextDecoder().decode(open.entry(`${folder}byteorder`)()) : "little";
  if (order !== "little" && order !== "big") fail(`expected the byte order little or big, found '${order.slice(0, 20)}'`);
  const source = {
    bigEndian: () => order === "big",
    fail,
    open: (key: string, length: number) => open.entry(`${folder}data/${key}`, length),
  };
  return readPickle(open.entry(pickle)(), 0, { ...torchPickle(source), fail }).value;
}

/** @returns undefined where it is damaged, or longer */
function inflate(content: Uint8Array, length: number): Uint8Array | undefined {
  try {
    return inflateRawSync(content, { maxOutputLength: Math.max(1, length) });
  } catch {
    return undefined;
  }
}

interface Zip {
  readonly names: readonly string[];
  /** A reader of an entry. @param length that it has to have, in bytes */
  readonly entry: (name: string, length?: number) => () => Uint8Array;
}

async function openZip(bytes: Uint8Array, fail: Fail): Promise<Zip> {
  const zip = await yauzl.fromBufferPromise(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const entries = new Map<string, { readonly entry: yauzl.Entry; readonly start: number }>();
  for await (const entry of zip.eachEntry()) {
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
    if (entries.has(entry.fileName)) fail(`its zip holds '${entry.fileName}' twice`);
    entries.set(entry.fileName, { entry, start: fileDataStart });
  }
  const unpacked = new Map<string, Uint8Array>();
  let left = UNPACKED_BASE + UNPACKED_TIMES * bytes.length;
  const unpack = (name: string, { entry, start }: { readonly entry: yauzl.Entry; readonly start: number }): Uint8Array => {
    const known = unpacked.get(name);
    if (known) return known;
    const { compressedSize, uncompressedSize, compressionMethod } = entry;
    if ((compressionMethod !== 0 && compressionMethod !== DEFLATED) || entry.isEncrypted())
      return fail(
        `'${name}' in its zip: expected stored or deflated data, found ${entry.isEncrypted() ? "encrypted" : `method ${compressionMethod}`}`,
      );
    let content = bytes.subarray(start, start + compressedSize);
    if (compressionMethod === DEFLATED) {
      left -= uncompressedSize;
      if (left < 0) fail(`refused: unpacked, it would be more than ${UNPACKED_TIMES} times its size, as no file of weights is`);
      content = inflate(content, uncompressedSize) ?? fail(`'${name}' in its zip is damaged: it is not the data that the zip says`);
    }
    if (content.length !== uncompressedSize || crc32(content) !== entry.crc32)
      fail(`'${name}' in its zip is damaged: size or checksum are not what the zip says`);
    unpacked.set(name, content);
    return content;
  };
  return {
    names: [...entries.keys()],
    entry(name, length) {
      const found = entries.get(name);
      if (!found) return fail(`'${name}' is missing in its zip`);
      const { uncompressedSize } = found.entry;
      if (length !== undefined && uncompressedSize !== length)
        fail(`'${name}' in its zip: expected ${length} bytes, found ${uncompressedSize}`);
      return () => unpack(name, found);
    },
  };
}

const [MAGIC, PROTOCOL] = [0x1950a86a20f9469cfc6cn, 1001];

/** Pickles one behind another: magic number, protocol, the system, the value, the storages' keys; then each storage with its number of elements. */
function readLegacy(bytes: Uint8Array, fail: Fail): unknown {
  let at = 0;
  const next = (options: { readonly globals: ReadonlyMap<string, unknown>; readonly persistent?: (id: unknown) => unknown }): unknown => {
    const { value, end } = readPickle(bytes, at, { ...options, fail });
    at = end;
    return value;
  };
  const plain = { globals: new Map<string, unknown>() };
  if (next(plain) !== MAGIC) fail("expected a file that torch.save wrote, found a pickle of something else");
  const protocol = next(plain);
  if (protocol !== PROTOCOL) fail(`expected the protocol ${PROTOCOL}, found ${protocol}`);
  const system = next(plain);
  const wanted = new Map<string, number>();
  const found = new Map<string, Uint8Array>();
  const value = next(
    torchPickle({
      bigEndian: () => system instanceof Map && system.get("little_endian") === false,
      fail,
      open(key, length) {
        if ((wanted.get(key) ?? length) !== length) fail(`storage '${key}' is said to have ${wanted.get(key)} bytes, and ${length}`);
        wanted.set(key, length);
        return () => found.get(key) ?? fail(`storage '${key}' is missing`);
      },
    }),
  );
  const keys = next(plain);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of Array.isArray(keys) ? keys : fail("expected the list of its storages, found something else")) {
    const length = wanted.get(key);
    if (length === undefined || found.has(key)) return fail(`storage '${key}' is none of its tensors', or there twice`);
    if (at + 8 + length > bytes.length)
      return fail(`storage '${key}': expected ${length} bytes of it, found the file's end: it is cut off`);
    found.set(key, bytes.subarray(at + 8, at + 8 + length));
    const elements = Number(view.getBigInt64(at, true));
    if (elements > length || (elements === 0) !== (length === 0) || (elements && length % elements))
      fail(`storage '${key}': expected ${length} bytes, found ${elements} elements`);
    at += 8 + length;
  }
  for (const key of wanted.keys()) if (!found.has(key)) fail(`storage '${key}' is missing`);
  return value;
}
