import { UsageError } from "../../core/errors.ts";
import { lookUp } from "../../core/nearest.ts";
import { createSession, RUNTIME_VERSION } from "../../core/session.node.ts";
import type { TrainingEngine } from "../engine.ts";
import type { EngineName } from "./names.ts";
import { createOnnxRuntimeEngine, type OnnxRuntimeEngineOptions } from "./onnxruntime.ts";
import { createTfjsEngine } from "./tfjs.ts";
import { installedTfjs, type LoadedTfjs, loadTfjs, TFJS_PACKAGES } from "./tfjs-package.node.ts";

/** What an engine is made from, whichever it is. */
export type EngineOptions = Omit<OnnxRuntimeEngineOptions, "createSession">;

/** An engine that is there, and can be made. */
export interface ChosenEngine {
  readonly engine: EngineName;
  /** What computes, and why it was taken. */
  readonly why: string;
  /** Versions of what computes besides ONNX Runtime. */
  readonly versions: Readonly<Record<string, string>>;
  create(options: EngineOptions): TrainingEngine;
}

type Choice = (threads?: number) => ChosenEngine;

const onOnnxRuntime = (why: string): ChosenEngine => ({
  engine: "onnxruntime",
  why,
  versions: {},
  create: (options) => createOnnxRuntimeEngine({ ...options, createSession }),
});

const onTfjs = ({ tf, packageName, version, gpu }: LoadedTfjs, why = ""): ChosenEngine => ({
  engine: "tfjs",
  why: `${packageName} ${version}, on the ${gpu ? "graphics card" : "processor"}${why}`,
  versions: { [packageName]: version },
  create: (options) => createTfjsEngine({ ...options, tf, packageName }),
});

/** The engines that a run may ask for. */
const ENGINES = {
  onnxruntime: () => onOnnxRuntime(`onnxruntime-node ${RUNTIME_VERSION}, on the processor`),
  tfjs(threads) {
    const loaded = loadTfjs({ threads });
    if (threads !== undefined && loaded.packageName === "@tensorflow/tfjs")
      throw new UsageError(
        `--threads: ${loaded.packageName} has one thread, received ${threads}. To fix: leave it out, or install @tensorflow/tfjs-node.`,
      );
    return onTfjs(loaded);
  },
} as const satisfies Readonly<Record<EngineName, Choice>>;

/** TensorFlow.js where it has a graphics card to compute on, else ONNX Runtime. */
const auto: Choice = (threads) => {
  const [fastest] = TFJS_PACKAGES;
  const { why } = ENGINES.onnxruntime();
  if (!installedTfjs().includes(fastest)) return onOnnxRuntime(`${why}: ${fastest} is not installed`);
  const loaded = loadTfjs({ packageName: fastest, threads });
  return loaded.gpu
    ? onTfjs(loaded, ": it is there and found one")
    : onOnnxRuntime(`${why}: ${fastest} is installed and found no graphics card`);
};

/**
 * The engine that is asked for.
 * @throws UsageError for an unknown name. FivecropError where its packages are not installed or cannot be loaded: no other takes its place.
 */
export const chooseEngine = (name: string, threads?: number): ChosenEngine => lookUp<Choice>("engine", { ...ENGINES, auto }, name)(threads);
