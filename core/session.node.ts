import * as ort from "onnxruntime-node";
import { FivecropError, messageOf } from "./errors.ts";
import type { Port, Session, SessionMaker } from "./session.ts";
import { type DType, type Tensor, tensor } from "./tensor.ts";

type Metadata = ort.InferenceSession.ValueMetadata;

const toPort = (metadata: Metadata): Port =>
  metadata.isTensor
    ? { name: metadata.name, shape: metadata.shape, dtype: metadata.type }
    : { name: metadata.name, shape: [], dtype: "not a tensor" };

const toOrt = ({ dtype, data, shape }: Tensor): ort.Tensor => new ort.Tensor(dtype as "float32", data as Float32Array, shape);

/** Runs a model with onnxruntime-node on the CPU. `run` blocks this thread until the graph has run (session.worker.node.ts does not). */
export const createSession: SessionMaker = async (model, options = {}): Promise<Session> => {
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(model, {
      executionProviders: ["cpu"],
      ...(options.threads !== undefined && { intraOpNumThreads: options.threads }),
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    });
  } catch (cause) {
    throw new FivecropError(`ONNX Runtime cannot load this model: ${messageOf(cause)}`, { cause });
  }
  const everything = session.outputNames;
  return {
    inputs: session.inputMetadata.map(toPort),
    outputs: session.outputMetadata.map(toPort),
    async run(feeds, fetches = everything) {
      const given: Record<string, ort.Tensor> = {};
      for (const name in feeds) given[name] = toOrt(feeds[name]);
      const into: Record<string, ort.Tensor | null> = {};
      const preallocated: Readonly<Record<string, Tensor>> = Array.isArray(fetches) ? {} : (fetches as Readonly<Record<string, Tensor>>);
      for (const name of Array.isArray(fetches) ? fetches : Object.keys(fetches))
        into[name] = preallocated[name] ? toOrt(preallocated[name]) : null;
      let results: ort.InferenceSession.OnnxValueMapType;
      try {
        results = await session.run(given, into);
      } catch (cause) {
        throw new FivecropError(`ONNX Runtime could not run the graph: ${messageOf(cause)}`, { cause });
      }
      const outputs: Record<string, Tensor> = {};
      for (const name in into) {
        const { type, dims, data } = results[name] as ort.Tensor;
        outputs[name] = preallocated[name] ?? tensor(type as DType, dims, data as Float32Array);
      }
      return outputs;
    },
    dispose: () => session.release(),
  };
};
