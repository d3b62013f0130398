import * as ort from "onnxruntime-node";
import { operatorsOffDevice } from "./placement.node.ts";
import { isFallback, makerOn, NO_FALLBACK, sessionMaker } from "./session.runtime.ts";
import type { SessionMaker } from "./session.ts";

/** The version of onnxruntime-node. */
export const RUNTIME_VERSION: string = ort.env.versions.node ?? ort.env.versions.common;

const NO_ADAPTER =
  "WebGPU is not to be had on this machine: expected a graphics adapter with its driver (on Linux for Vulkan, with libvulkan.so.1), found none. " +
  "To fix: install the driver, or choose the device cpu.";

const MAKERS = {
  cpu: sessionMaker(ort, {
    options: ({ threads, spin = true }) => ({
      executionProviders: ["cpu"],
      ...(threads !== undefined && { intraOpNumThreads: threads }),
      ...(!spin && { extra: { session: { intra_op: { allow_spinning: "0" } } } }),
      interOpNumThreads: 1,
      logSeverityLevel: 4, // what fails is thrown, and said once
    }),
    writesInPlace: true,
  }),
  webgpu: sessionMaker(ort, {
    options: () => ({ executionProviders: ["webgpu"], extra: NO_FALLBACK, logSeverityLevel: 4 }),
    writesInPlace: false,
    async explain(message, model) {
      if (message.includes("Failed to get a WebGPU adapter")) return NO_ADAPTER;
      if (!isFallback(message)) return undefined;
      const operators = await operatorsOffDevice(model, "webgpu").catch(() => []); // a profile only adds their names
      return `WebGPU does not run all of this graph: ${operators.join(", ") || "some of its operators"} would run on the cpu. To fix: choose the device cpu.`;
    },
  }),
} satisfies Readonly<Record<string, SessionMaker>>;

/**
 * Runs a model with onnxruntime-node. `run` blocks this thread until the graph has run.
 * Two threads that run WebGPU at once crash the process: session.worker.node.ts gives all its sessions one thread.
 * @see https://github.com/microsoft/onnxruntime/issues/27592
 */
export const createSession: SessionMaker = async (model, options = {}) => makerOn(MAKERS, options.device ?? "cpu")(model, options);
