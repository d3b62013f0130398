import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const RUNTIME_FOR_WASM = ["ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"] as const;
/** As large again, and of use where there is WebGPU: a page loads it when it needs it. */
export const RUNTIME_FOR_WEBGPU = ["ort.webgpu.bundle.min.mjs", "ort-wasm-simd-threaded.asyncify.wasm"] as const;

/** The files of onnxruntime-web that a page loads, by name. */
export async function runtimeFiles(): Promise<ReadonlyMap<string, Uint8Array>> {
  const folder = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"));
  const names = [...RUNTIME_FOR_WASM, ...RUNTIME_FOR_WEBGPU];
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}
