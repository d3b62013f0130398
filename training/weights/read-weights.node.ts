import { basename, join, resolve } from "node:path";
import { checkFile, lastName } from "../../core/download.node.ts";
import { FivecropError, UsageError } from "../../core/errors.ts";
import { nearestNames } from "../../core/nearest.ts";
import { readInput } from "../../core/read-file.node.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import { readSafetensors } from "../../export/safetensors.ts";
import { isZip, readTorchFile } from "../../export/torch-file.node.ts";
import type { StoredTensor } from "../../export/torch-tensors.ts";
import { isCheckpoint, readCheckpoint } from "../checkpoint.ts";
import { inferenceWeights } from "../weight-average.ts";
import type { Weights } from "./fit-weights.ts";
import { KNOWN_WEIGHTS, type KnownWeights } from "./known.ts";

/** A weights file's tensors, and what kind of file it is. */
export interface WeightsFile extends Weights {
  readonly format: string;
  /** What was taken of it, where it holds more. */
  readonly notes: readonly string[];
}

/** Where fetched weights are kept, in the folder of all data sets. */
export const weightsFolder = (root: string): string => join(root, "models");

/** The path of weights that are known by name. */
export const weightsPath = ({ file }: KnownWeights, root: string): string => join(weightsFolder(root), lastName(file.url));

const isKnown = (name: string): name is keyof typeof KNOWN_WEIGHTS => Object.hasOwn(KNOWN_WEIGHTS, name);

/** What --weights says, as it means the same from any directory: a known name, or an absolute path. */
export const resolveWeights = (given: string): string => (isKnown(given) ? given : resolve(given));

/** The same as others may read it: a file's name without its folder. */
export const publicWeights = (given: string): string => basename(given);

/**
 * Reads weights by their known name, or a file: safetensors, a checkpoint of a run, or a state dict that torch.save wrote.
 * @param root the folder of all data sets
 * @throws UsageError for an ONNX file. FivecropError where it cannot be read, is damaged, or is no such file.
 */
export async function openWeights(given: string, root: string): Promise<WeightsFile> {
  if (given.endsWith(".onnx"))
    throw new UsageError(`--weights: expected a .safetensors, .pth or .pt file, received the ONNX file ${given}.`);
  const known: KnownWeights | undefined = isKnown(given) ? KNOWN_WEIGHTS[given] : undefined;
  const path = known ? weightsPath(known, root) : given;
  const [like] = nearestNames(basename(given), Object.keys(KNOWN_WEIGHTS), 1);
  const mend = known
    ? `fivecrop models fetch ${given}, or say with --data-dir DIR where DIR/models is`
    : `name a .safetensors, .pth or .pt file${like ? `, or weights that are known by name, such as ${like}` : ""}`;
  const bytes = await readInput(path, `--weights: cannot read ${path}`, mend);
  if (known) await checkFile(path, known.file);
  return readWeights(bytes, path);
}

/** @param file its path, for messages. @throws FivecropError as openWeights does */
export async function readWeights(bytes: Uint8Array, file: string): Promise<WeightsFile> {
  if (bytes.length === 0) throw new FivecropError(`${file} is empty: expected a .safetensors, .pth or .pt file.`);
  if (isZip(bytes) || isPickle(bytes, file)) {
    const { under, ...read } = await readTorchFile(bytes, file);
    return { ...read, file, notes: under === undefined ? [] : [`the state dict under '${under}'`] };
  }
  const { tensors, metadata } = readSafetensors(bytes, file);
  const checkpoint = isCheckpoint(metadata);
  const named = checkpoint ? inferenceWeights(readCheckpoint(bytes, file).training) : tensors;
  const stored = Object.entries(named).map(([name, t]) => [name, storedOf(t)] as const);
  return { file, format: checkpoint ? "a run's checkpoint" : "safetensors", notes: [], tensors: new Map(stored) };
}

/** A pickle of protocol 2 or later; a safetensors file may begin alike, but its header opens at byte 8. Older protocols are told by the file's name. */
const isPickle = (bytes: Uint8Array, file: string): boolean =>
  bytes[8] !== 0x7b && ((bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) || /\.(pth|pt|pkl|bin|ckpt|tar)$/i.test(file));

function storedOf({ dtype, shape, data }: Tensor): StoredTensor {
  if (dtype !== "float32" && dtype !== "float64") return { type: dtype, shape };
  return {
    type: dtype,
    shape,
    read: () => tensor("float32", shape, data instanceof Float32Array ? data : Float32Array.from(data as Float64Array)),
  };
}
