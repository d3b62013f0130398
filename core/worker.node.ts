import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { FivecropError } from "./errors.ts";
import { withoutTelemetry } from "./telemetry.node.ts";

/** The folder that holds this package's modules: dist/, or the sources. */
const ROOT = new URL("../", import.meta.url);

/**
 * Starts a thread. Workers are JavaScript: run from TypeScript, they come from the build.
 * @param module its path without an extension, from the folder of the package's modules: "pipeline/batches.worker.node"
 * @throws FivecropError where the package was not built.
 */
export function startWorker(module: string, workerData: unknown): Worker {
  const url = new URL(`${import.meta.url.endsWith(".ts") ? "dist/" : ""}${module}.js`, ROOT);
  if (!existsSync(url)) throw new FivecropError(`${fileURLToPath(url)} is missing. To fix: npm run build`);
  withoutTelemetry();
  const worker = new Worker(url, { workerData, execArgv: [] });
  worker.unref();
  return worker;
}
