import type { InferenceSession, Tensor as RuntimeTensor } from "onnxruntime-common";
import { FivecropError, messageOf, UsageError } from "./errors.ts";
import { runtimeMessage } from "./runtime-message.ts";
import type { Device, Port, Session, SessionMaker, SessionOptions } from "./session.ts";
import { type DType, type Tensor, tensor } from "./tensor.ts";

/** What onnxruntime-node and onnxruntime-web have in common. */
export interface Runtime {
  readonly InferenceSession: typeof InferenceSession;
  readonly Tensor: typeof RuntimeTensor;
}

const toPort = (metadata: InferenceSession.ValueMetadata): Port =>
  metadata.isTensor
    ? { name: metadata.name, shape: metadata.shape, dtype: metadata.type }
    : { name: metadata.name, shape: [], dtype: "not a tensor" };

export interface RuntimeTraits {
  /** The runtime's options for ours. */
  readonly options: (options: SessionOptions) => InferenceSession.SessionOptions;
  /** It computes into the tensors that `run` is given; otherwise results are copied into them. */
  readonly writesInPlace: boolean;
  /** What is to be said in place of the runtime's message, where it cannot load a model; `undefined` where that says it all. */
  readonly explain?: (message: string, model: Uint8Array) => Promise<string | undefined>;
}

/** By a WebGPU session's `extra`: an operator that would run on the processor is an error. */
export const NO_FALLBACK = { session: { disable_cpu_ep_fallback: "1" } } as const;
/** Whether the runtime's message says so. */
export const isFallback = (message: string): boolean => message.includes("fallback to CPU EP has been explicitly disabled");

/** The maker of sessions on a device. @throws UsageError where the platform has no such device. */
export function makerOn(makers: Readonly<Partial<Record<Device, SessionMaker>>>, device: Device): SessionMaker {
  const maker = Object.hasOwn(makers, device) ? makers[device] : undefined;
  if (!maker) throw new UsageError(`device: expected ${Object.keys(makers).join(" or ")}, received '${device}'.`);
  return maker;
}

/** Sessions of one runtime. */
export const sessionMaker =
  (runtime: Runtime, { options: chosen, writesInPlace, explain }: RuntimeTraits): SessionMaker =>
  async (model, options = {}): Promise<Session> => {
    const toRuntime = ({ dtype, data, shape }: Tensor): RuntimeTensor =>
      new runtime.Tensor(dtype as "float32", data as Float32Array, shape);
    const { name: modelName = "the model" } = options;
    let session: InferenceSession;
    try {
      session = await runtime.InferenceSession.create(model, chosen(options));
    } catch (cause) {
      const reason = (await explain?.(messageOf(cause), model)) ?? `ONNX Runtime cannot load it: ${runtimeMessage(cause)}`;
      throw new FivecropError(`${modelName}: ${reason}`, { cause });
    }
    const everything = session.outputNames;
    return {
      inputs: session.inputMetadata.map(toPort),
      outputs: session.outputMetadata.map(toPort),
      async run(feeds, fetches = everything) {
        const given: Record<string, RuntimeTensor> = {};
        for (const name in feeds) given[name] = toRuntime(feeds[name]);
        const preallocated: Readonly<Record<string, Tensor>> = Array.isArray(fetches) ? {} : (fetches as Readonly<Record<string, Tensor>>);
        const into: Record<string, RuntimeTensor | null> = {};
        for (const name of Array.isArray(fetches) ? fetches : Object.keys(fetches))
          into[name] = preallocated[name] && writesInPlace ? toRuntime(preallocated[name]) : null;
        let results: InferenceSession.OnnxValueMapType;
        try {
          results = await session.run(given, into);
        } catch (cause) {
          throw new FivecropError(`${modelName}: ONNX Runtime could not run its graph: ${runtimeMessage(cause)}`, { cause });
        }
        const outputs: Record<string, Tensor> = {};
        for (const name in into) {
          const { type, dims, data } = results[name] as RuntimeTensor;
          if (preallocated[name] && !writesInPlace) (preallocated[name].data as Float32Array).set(data as Float32Array);
          outputs[name] = preallocated[name] ?? tensor(type as DType, dims, data as Float32Array);
        }
        return outputs;
      },
      dispose: () => session.release(),
    };
  };
