import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as util from "node:util";
import { FivecropError, messageOf } from "../../core/errors.ts";
import type { Tf } from "./tfjs-kernel.ts";

/** The packages of TensorFlow.js, the fastest first: on an NVIDIA card, on libtensorflow, in plain JavaScript. */
export const TFJS_PACKAGES = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node", "@tensorflow/tfjs"] as const;
export type TfjsPackage = (typeof TFJS_PACKAGES)[number];

export const HOW_TO_GET_TFJS =
  "npm install @tensorflow/tfjs-node (libtensorflow, on the processor), npm install @tensorflow/tfjs-node-gpu (on an NVIDIA card, with CUDA 11 and cuDNN 8), " +
  "or npm install @tensorflow/tfjs (plain JavaScript, slow)";

const DOCTOR = "fivecrop doctor says what works here";

/** TensorFlow.js as it is on this machine. */
export interface LoadedTfjs {
  readonly tf: Tf;
  readonly packageName: TfjsPackage;
  readonly version: string;
  /** It computes on a graphics card. */
  readonly gpu: boolean;
}

/**
 * The file of a package's manifest: in the folder that FIVECROP_TFJS names and nowhere else, or as Node finds it from fivecrop and then from
 * where it was started.
 */
function manifestOf(name: TfjsPackage): string | undefined {
  const { FIVECROP_TFJS: folder } = process.env;
  if (folder) {
    if (!existsSync(folder))
      throw new FivecropError(`FIVECROP_TFJS: expected a folder whose node_modules has TensorFlow.js, found nothing at ${folder}.`);
    const manifest = resolve(folder, "node_modules", name, "package.json");
    return existsSync(manifest) ? manifest : undefined;
  }
  for (const place of [fileURLToPath(import.meta.url), join(process.cwd(), "package.json")]) {
    try {
      return createRequire(place).resolve(`${name}/package.json`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  return undefined;
}

/** The installed packages of TensorFlow.js, the fastest first, without loading any. */
export const installedTfjs = (): readonly TfjsPackage[] => TFJS_PACKAGES.filter((name) => manifestOf(name) !== undefined);

const loaded = new Map<string, LoadedTfjs>();

export interface LoadTfjsOptions {
  readonly packageName?: TfjsPackage;
  /** Of one operator; the package's choice where it is left out. */
  readonly threads?: number;
  /** CUDA shows it no card, for the rest of this process: it computes on the processor. */
  readonly hideCards?: boolean;
}

/**
 * Loads the fastest of the installed packages, or the one that is named; once in a process.
 * @throws FivecropError where none is installed, or it cannot be loaded.
 */
export function loadTfjs({ packageName, threads, hideCards = false }: LoadTfjsOptions = {}): LoadedTfjs {
  const name = packageName ?? installedTfjs()[0];
  const manifest = name && manifestOf(name);
  if (!manifest)
    throw new FivecropError(
      `the engine tfjs needs ${name ?? "a package of TensorFlow.js"}, found none (${DOCTOR}). To fix: ${HOW_TO_GET_TFJS}.`,
    );
  const known = loaded.get(manifest);
  if (known?.gpu && hideCards)
    throw new FivecropError(`${name} computes on a graphics card in this process already. To fix: start another for the processor.`);
  if (known) return known;
  const native = name !== "@tensorflow/tfjs";
  const require = createRequire(manifest);
  const { version } = require(manifest) as { version: string };
  if (native && !("isNullOrUndefined" in util))
    throw new FivecropError(
      `${name} ${version} calls util.isNullOrUndefined, which Node ${process.versions.node} no longer has (${DOCTOR}). To fix: run Node 20 or 22, or choose the engine onnxruntime.`,
    );
  if (native) prepareLibrary(threads);
  const { CUDA_VISIBLE_DEVICES: shown } = process.env;
  try {
    if (hideCards) process.env.CUDA_VISIBLE_DEVICES = "-1";
    const tf = require(name) as Tf;
    tf.enableProdMode();
    const { isUsingGpuDevice = false } = tf.backend() as { isUsingGpuDevice?: boolean };
    const result = { tf, packageName: name, version, gpu: isUsingGpuDevice };
    loaded.set(manifest, result);
    return result;
  } catch (cause) {
    const [line] = messageOf(cause).split("\n");
    throw new FivecropError(
      `${name} ${version} is installed and cannot be loaded: ${line} (${DOCTOR}). To fix: npm rebuild ${name}, or choose the engine onnxruntime.`,
      { cause },
    );
  } finally {
    if (shown === undefined) delete process.env.CUDA_VISIBLE_DEVICES;
    else process.env.CUDA_VISIBLE_DEVICES = shown;
  }
}

/** What libtensorflow reads when it is loaded: how many threads it has, and that it keeps its notes to itself. */
function prepareLibrary(threads: number | undefined): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  if (threads === undefined) return;
  for (const name of ["TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"]) process.env[name] = String(threads);
}
