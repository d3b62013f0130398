import { DeviceLostError, DeviceMemoryError, FivecropError, messageOf } from "./errors.ts";
import { runtimeMessage } from "./runtime-message.ts";

/**
 * What runtimes and their libraries say where memory is short. WebGPU makes an invalid buffer then, says so on the standard error alone, and refuses the
 * buffer where it is used; a tensor beyond the limit of one buffer is cut into more buffers than a shader may have.
 */
const NO_MEMORY =
  /\[Invalid Buffer[^\]]*\] is invalid|Failed to allocate memory|out of memory|OUT_OF_(?:DEVICE_|HOST_)?MEMORY|\bOOM\b|Resource_?Exhausted|Array buffer allocation failed|Allocation size too large|exceeds the max(?:imum)? buffer size|Too many storage buffers|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|bad_alloc/i;

const LOST =
  /device (?:was |is )?lost|DEVICE_LOST|device was destroyed|external Instance reference no longer exists|CUDA (?:failure|error) (?:4|46|214|700|702|719|999)\b|unspecified launch failure|illegal memory access|CUDA_ERROR_(?:ILLEGAL_|LAUNCH_|ECC_|HARDWARE_|MISALIGNED_|DEINITIALIZED|CONTEXT_IS_DESTROYED|ASSERT|UNKNOWN)|GPU is lost|fallen off the bus/i;

/** What a runtime's or a library's message is for who trains: no memory, a lost device, or neither. */
export function faultOf(cause: unknown): typeof DeviceLostError | typeof DeviceMemoryError | typeof FivecropError {
  const text = messageOf(cause);
  return LOST.test(text) ? DeviceLostError : NO_MEMORY.test(text) ? DeviceMemoryError : FivecropError;
}

/** An error of a run as what it is for who trains. */
export function deviceFault(model: string, cause: unknown): FivecropError {
  const Fault = faultOf(cause);
  return new Fault(`${model}: ONNX Runtime could not run its graph: ${runtimeMessage(cause)}`, { cause });
}
