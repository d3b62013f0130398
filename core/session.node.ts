import * as ort from "onnxruntime-node";
import { faultOf } from "./device-fault.ts";
import { FivecropError, UsageError } from "./errors.ts";
import { type GpuDevice, operatorsOffDevice } from "./placement.node.ts";
import { isFallback, makerOn, NO_FALLBACK, type RuntimeTraits, sessionMaker } from "./session.runtime.ts";
import type { SessionMaker } from "./session.ts";
import { withoutTelemetry } from "./telemetry.node.ts";

/** The version of onnxruntime-node. */
export const RUNTIME_VERSION: string = ort.env.versions.node ?? ort.env.versions.common;

const NO_ADAPTER =
  "WebGPU is not to be had on this machine: expected a graphics adapter with its driver (on Linux for Vulkan, with libvulkan.so.1), found none: fivecrop doctor says what is missing. " +
  "To fix: install the driver, or choose the device cpu.";

const NO_CUDA =
  "CUDA is not to be had on this machine: expected Linux x64 with an NVIDIA card, its driver, CUDA 12 with cuDNN 9, and onnxruntime-node's provider for it; one of them is missing. " +
  "To fix: fivecrop doctor says which, or choose the device cpu.";

/**
 * What the runtime and the system's loader say where CUDA, its provider, its driver or its card are missing; another error of CUDA is told as it is.
 * @see https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html its numbers
 */
const CUDA_MISSING =
  /_Cuda\b|providers_cuda|not enabled in this build|lib(?:cu|nv)\w+\.so|CUDA driver version|no CUDA-capable device|CUDA (?:failure|error) (?:3|34|35|36|100|101|803|804)\b/;

/** Whether the runtime's message says that CUDA is not there. */
export const isCudaMissing = (message: string): boolean => faultOf(message) === FivecropError && CUDA_MISSING.test(message);

/** @param missing what is to be said where the runtime's message is that the device is not there */
const onGpu = (device: GpuDevice, name: string, missing: (message: string) => string | undefined, keeps: boolean): SessionMaker =>
  sessionMaker(ort, {
    options: () => ({ executionProviders: [device], extra: NO_FALLBACK, logSeverityLevel: 4 }),
    writesInPlace: false,
    keeps,
    async explain(message, model) {
      if (!isFallback(message)) return missing(message);
      const operators = await operatorsOffDevice(model, device).catch(() => []); // a profile only adds their names
      return `${name} does not run all of this graph: ${operators.join(", ") || "some of its operators"} would run on the cpu. To fix: choose the device cpu.`;
    },
  });

/** How a session on the processor is made. */
export const ON_CPU: RuntimeTraits = {
  options: ({ threads, spin = true }) => ({
    executionProviders: ["cpu"],
    ...(threads !== undefined && { intraOpNumThreads: threads }),
    ...(!spin && { extra: { session: { intra_op: { allow_spinning: "0" } } } }),
    interOpNumThreads: 1,
    enableMemPattern: false, // planned blocks come on top of what the first run took: a training step's memory is two thirds without them, its time the same
    logSeverityLevel: 4, // what fails is thrown, and said once
  }),
  writesInPlace: true,
};

const MAKERS = {
  cpu: sessionMaker(ort, ON_CPU),
  webgpu: onGpu("webgpu", "WebGPU", (message) => (message.includes("Failed to get a WebGPU adapter") ? NO_ADAPTER : undefined), true),
  cuda: onGpu("cuda", "CUDA", (message) => (isCudaMissing(message) ? NO_CUDA : undefined), false),
} satisfies Readonly<Record<string, SessionMaker>>;

/**
 * Runs a model with onnxruntime-node. `run` blocks this thread until the graph has run.
 * Two threads that run WebGPU at once crash the process: session.worker.node.ts gives all its sessions one thread.
 * @throws UsageError for a number of threads on another device than the processor.
 * @see https://github.com/microsoft/onnxruntime/issues/27592
 */
export const createSession: SessionMaker = async (model, options = {}) => {
  const { device = "cpu", threads } = options;
  const make = makerOn(MAKERS, device);
  if (device !== "cpu" && threads !== undefined)
    throw new UsageError(
      `threads: a session on ${device} has no number of its own, received ${threads}. To fix: leave it out, or choose the device cpu.`,
    );
  withoutTelemetry();
  return make(model, options);
};
