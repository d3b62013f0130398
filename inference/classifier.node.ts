import { availableParallelism } from "node:os";
import { checkWhole } from "../core/check.ts";
import { UsageError } from "../core/errors.ts";
import { readModel } from "../core/read-file.node.ts";
import { decodeImage } from "../pipeline/decode.node.ts";
import { type Classifier, type ClassifierOptions, createClassifier, type Platform } from "./classifier.ts";
import { type ImageSource, toImage } from "./image-source.node.ts";
import { metadataOf } from "./model-contract.ts";
import { readCrops } from "./read-crops.node.ts";

export interface NodeClassifierOptions extends ClassifierOptions {
  /** The processor's threads for the network; the runtime's own choice where it is left out. */
  readonly threads?: number;
  /**
   * Threads that read pictures and make their views, ahead of the network, which has a thread of its own: the event loop stays free.
   * One for each core of the processor, at most 8, where it is left out; they start when they are needed. With 0 everything is done in the
   * calling thread (on WebGPU but the network): for a few pictures that is soonest, and while the network runs nothing else does.
   */
  readonly workers?: number;
  /**
   * Copies of the network on the processor, each in a thread of its own with its share of `threads`, 1. With one for each core more pictures are answered
   * a second, while a single one is answered later, and each copy takes the model's memory. Without workers there is one.
   */
  readonly sessions?: number;
  /**
   * Large JPEGs (six times as large as the model looks at them, or more) are read at a reduced size: faster, and **other pixels**
   * than everywhere else, so slightly other probabilities.
   */
  readonly shrinkOnLoad?: boolean;
}

/**
 * A classifier from an ONNX file or its bytes.
 * @example
 * const classifier = await loadClassifier("runs/fashion/model.onnx");
 * const { predictions } = await classifier.classify("boot.png", { views: "five-crop", top: 3 });
 * @throws UsageError where neither the file nor the options say labels and preprocessing.
 * @throws FivecropError where the file cannot be read, is no ONNX model, or does not fit to them; where the device is missing or answers wrongly.
 */
export async function loadClassifier(model: string | Uint8Array, options: NodeClassifierOptions = {}): Promise<Classifier<ImageSource>> {
  const {
    workers = defaultWorkers(),
    sessions = 1,
    shrinkOnLoad = false,
    threads,
    name = typeof model === "string" ? model : "the model",
  } = options;
  checkWhole("workers", workers, 0);
  checkWhole("sessions", sessions, 1);
  const bytes = typeof model === "string" ? await readModel(model) : model;
  const platform = workers ? await threaded(workers, { shrinkOnLoad, threads, sessions }) : inThisThread({ shrinkOnLoad, threads });
  if (shrinkOnLoad && metadataOf(bytes, name)?.selfContained)
    throw new UsageError(
      `${name} is self-contained: its graph takes whole pictures, shrinkOnLoad was asked for. To fix: leave that out, or give the file that it was made of.`,
    );
  return createClassifier(bytes, platform, { ...options, name });
}

const defaultWorkers = (): number => Math.min(8, availableParallelism());

/** Bytes of all copies of a network together, and how many at most: what a run computes takes memory in each. */
const COPIED = 2 ** 29;
const MOST_COPIES = 4;

/**
 * What answers many pictures soonest: of files, a session for each core where the model is not large; of pictures in memory, which take no reading,
 * one session in the calling thread.
 */
export const forMany = (model: Uint8Array, { files }: { readonly files: boolean }): Pick<NodeClassifierOptions, "workers" | "sessions"> =>
  files ? { sessions: Math.max(1, Math.min(MOST_COPIES, availableParallelism(), Math.floor(COPIED / model.length))) } : { workers: 0 };

const DECODING: Pick<Platform<ImageSource>, "toImage" | "decode" | "processor"> = {
  toImage,
  decode: (file, name) => decodeImage(file, name),
  processor: "cpu",
};

interface Chosen {
  readonly shrinkOnLoad: boolean;
  readonly threads: number | undefined;
}

/** All WebGPU sessions of the process live in one thread, whoever asks for them. */
function inThisThread({ shrinkOnLoad, threads }: Chosen): Platform<ImageSource> {
  const createPreparer: Platform<ImageSource>["createPreparer"] = (spec) => ({
    prepare: (source, views) => readCrops(source, views, { spec, shrinkOnLoad }),
    dispose: async () => undefined,
  });
  return {
    ...DECODING,
    createSession: async (model, options) => {
      const { createSession } = await (options?.device === "webgpu"
        ? import("../core/session.worker.node.ts")
        : import("../core/session.node.ts"));
      return createSession(model, { ...options, threads });
    },
    ...(shrinkOnLoad && { createPreparer }),
  };
}

async function threaded(
  workers: number,
  { shrinkOnLoad, threads, sessions }: Chosen & { readonly sessions: number },
): Promise<Platform<ImageSource>> {
  const [{ createSession }, { poolSessions }, { createPreparer }] = await Promise.all([
    import("../core/session.worker.node.ts"),
    import("../core/session-pool.ts"),
    import("./preparer.node.ts"),
  ]);
  const spin = false; // the cores are shared with the readers
  const share = sessions > 1 ? Math.max(1, Math.floor((threads ?? availableParallelism()) / sessions)) : threads;
  return {
    ...DECODING,
    createSession: (model, options = {}) =>
      sessions === 1 || (options.device ?? "cpu") !== "cpu"
        ? createSession(model, { ...options, threads, spin })
        : poolSessions(sessions, () => createSession(model, { ...options, threads: share, spin })),
    createPreparer: (spec) => createPreparer({ spec, shrinkOnLoad }, workers),
    batchesAtOnce: sessions + 1,
  };
}
