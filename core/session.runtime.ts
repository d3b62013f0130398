import type { InferenceSession, Tensor as RuntimeTensor } from "onnxruntime-common";
import { deviceFault, faultOf } from "./device-fault.ts";
import { FivecropError, messageOf, UsageError } from "./errors.ts";
import { runtimeMessage } from "./runtime-message.ts";
import type { Device, Named, Port, Resident, Session, SessionMaker, SessionOptions } from "./session.ts";
import { type DType, type Tensor, tensor } from "./tensor.ts";
import { cameToSequence, SEQUENCE, watchWrites, withSequenceFirst } from "./uncopied-results.ts";

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
  /** It leaves results on the device, where it is asked to. */
  readonly keeps?: boolean;
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

const onDevice = (names: readonly string[]): Readonly<Record<string, "gpu-buffer">> =>
  Object.fromEntries(names.map((name) => [name, "gpu-buffer"]));

const fromRuntime = ({ type, dims, data }: RuntimeTensor): Tensor => tensor(type as DType, dims, data as Float32Array);

const toResident = (computed: RuntimeTensor): Resident => ({
  shape: computed.dims,
  resident: computed,
  release: () => computed.dispose(),
});

/** Sessions of one runtime. */
export const sessionMaker =
  (runtime: Runtime, { options: chosen, writesInPlace, keeps = false, explain }: RuntimeTraits): SessionMaker =>
  async (model, options = {}): Promise<Session> => {
    const toRuntime = ({ dtype, data, shape }: Tensor): RuntimeTensor =>
      new runtime.Tensor(dtype as "float32", data as Float32Array, shape);
    const { name: modelName = "the model", keep = [] } = options;
    const uncopied = writesInPlace && options.intoTensors === true;
    let session: InferenceSession;
    try {
      session = await runtime.InferenceSession.create(uncopied ? withSequenceFirst(model) : model, {
        ...chosen(options),
        ...(keeps && keep.length > 0 && { preferredOutputLocation: onDevice(keep) }),
      });
    } catch (cause) {
      const reason = await explain?.(messageOf(cause), model);
      if (reason !== undefined) throw new FivecropError(`${modelName}: ${reason}`, { cause });
      const Fault = faultOf(cause);
      throw new Fault(`${modelName}: ONNX Runtime cannot load it: ${runtimeMessage(cause)}`, { cause });
    }
    const everything = session.outputNames.filter((name) => !uncopied || name !== SEQUENCE);
    async function execute(
      feeds: Readonly<Record<string, RuntimeTensor>>,
      into: Readonly<Record<string, RuntimeTensor | null>>,
    ): Promise<InferenceSession.OnnxValueMapType> {
      try {
        return await session.run(feeds, into);
      } catch (cause) {
        throw deviceFault(modelName, cause);
      }
    }
    /** Nothing is copied to where it is already: the run ends at the sequence. */
    async function computeInto(feeds: Named<RuntimeTensor>, results: Named): Promise<void> {
      const fed = new Set(Object.values(feeds).map(({ data }) => (data as Float32Array).buffer));
      const watched = Object.values(results).find(({ dtype, data }) => dtype === "float32" && data.length > 0 && !fed.has(data.buffer));
      const isWritten = watched && watchWrites(watched as Tensor<"float32">);
      const into = Object.fromEntries(Object.entries(results).map(([name, result]) => [name, toRuntime(result)]));
      try {
        await session.run(feeds, isWritten ? { [SEQUENCE]: null, ...into } : into);
      } catch (cause) {
        if (!cameToSequence(messageOf(cause)) || !isWritten?.()) throw deviceFault(modelName, cause);
      }
    }
    async function runOnDevice(feeds: Named<Tensor | Resident>, fetches: readonly string[]) {
      const given = Object.fromEntries(
        Object.entries(feeds).map(([name, fed]) => [name, "resident" in fed ? (fed.resident as RuntimeTensor) : toRuntime(fed)]),
      );
      const computed = await execute(given, Object.fromEntries([...fetches, ...keep].map((name) => [name, null])));
      const results = Object.fromEntries(fetches.map((name) => [name, fromRuntime(computed[name] as RuntimeTensor)]));
      const kept = Object.fromEntries(keep.map((name) => [name, toResident(computed[name] as RuntimeTensor)]));
      return { results, kept };
    }
    return {
      inputs: session.inputMetadata.map(toPort),
      outputs: session.outputMetadata.map(toPort).filter(({ name }) => everything.includes(name)),
      async run(feeds, fetches = everything) {
        const given: Record<string, RuntimeTensor> = {};
        for (const name in feeds) given[name] = toRuntime(feeds[name]);
        const preallocated: Named = Array.isArray(fetches) ? {} : (fetches as Named);
        if (uncopied && !Array.isArray(fetches)) {
          await computeInto(given, preallocated);
          return preallocated;
        }
        const into: Record<string, RuntimeTensor | null> = {};
        for (const name of Array.isArray(fetches) ? fetches : Object.keys(fetches))
          into[name] = preallocated[name] && writesInPlace ? toRuntime(preallocated[name]) : null;
        const results = await execute(given, into);
        const outputs: Record<string, Tensor> = {};
        for (const name in into) {
          const computed = results[name] as RuntimeTensor;
          if (preallocated[name] && !writesInPlace) (preallocated[name].data as Float32Array).set(computed.data as Float32Array);
          outputs[name] = preallocated[name] ?? fromRuntime(computed);
        }
        return outputs;
      },
      ...(keeps && { runOnDevice }),
      dispose: () => session.release(),
    };
  };
