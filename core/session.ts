import type { Tensor } from "./tensor.ts";

/** Tensors by name. */
export type Named<T = Tensor> = Readonly<Record<string, T>>;

export interface Port {
  readonly name: string;
  /** As the file says it: a number where known, a name where the caller chooses (the batch). */
  readonly shape: readonly (number | string)[];
  readonly dtype: string;
}

/** A result that stayed on the device: it is fed to sessions of the same device, and takes memory there until it is released. */
export interface Resident {
  readonly shape: readonly number[];
  /** The runtime's own tensor. */
  readonly resident: unknown;
  release(): void;
}

/** A graph that can be run: ONNX Runtime's session, wherever it lives. */
export interface Session {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /**
   * Runs the graph once.
   * @param fetches the outputs to compute, or tensors to write them into; all, newly allocated, where it is left out.
   * @throws FivecropError where the runtime refuses a feed or fails: DeviceMemoryError, DeviceLostError where its message says so.
   */
  run(feeds: Named, fetches?: readonly string[] | Named): Promise<Named>;
  /**
   * The same with what `keep` of its options names left on the device; absent where the runtime keeps nothing there between runs.
   * @throws FivecropError, DeviceMemoryError and DeviceLostError as run does
   */
  readonly runOnDevice?: (
    feeds: Named<Tensor | Resident>,
    fetches: readonly string[],
  ) => Promise<{ readonly results: Named; readonly kept: Named<Resident> }>;
  dispose(): Promise<void>;
}

/** What computes: in Node `cpu`, `webgpu` and `cuda`, in a page `wasm` (the processor there) and `webgpu`. */
export type Device = "cpu" | "wasm" | "webgpu" | "cuda";

export interface SessionOptions {
  /** The processor where it is left out. No other device falls back to it: what the device cannot run is refused. */
  readonly device?: Device;
  /** What messages call the model. */
  readonly name?: string;
  /** The processor's threads inside one operator; the runtime's own choice where it is left out. Other devices, and a page, take no number. */
  readonly threads?: number;
  /** The processor's threads that wait keep their cores busy, true: soonest where nothing else computes, and a waste where something does. */
  readonly spin?: boolean;
  /** Outputs that `runOnDevice` leaves on the device. */
  readonly keep?: readonly string[];
  /** Every run gives the tensors that its results are written into: then none is copied on the processor. */
  readonly intoTensors?: boolean;
  /** `run` may keep its feeds: a session in another thread then takes their memory instead of copying it, and leaves their arrays empty. */
  readonly giveFeeds?: boolean;
}

/** @throws FivecropError where the device is missing or cannot run the model: DeviceMemoryError, DeviceLostError where the runtime's message says so. */
export type SessionMaker = (model: Uint8Array, options?: SessionOptions) => Promise<Session>;
