import { FivecropError, UsageError } from "../../core/errors.ts";
import { lookUp } from "../../core/nearest.ts";
import { createSession, RUNTIME_VERSION } from "../../core/session.node.ts";
import type { Device, SessionMaker } from "../../core/session.ts";
import type { DeviceChoice } from "../devices.ts";
import { probe } from "../doctor/probe.node.ts";
import type { Found, ProbeName } from "../doctor/probes.node.ts";
import { type Candidate, type Candidates, type ChooseOptions, type ChosenEngine, choose, type FoundEngine } from "./choose.ts";
import { ENGINE_NAMES } from "./names.ts";
import { createOnnxRuntimeEngine } from "./onnxruntime.ts";
import { createTfjsEngine } from "./tfjs.ts";
import { installedTfjs, type LoadedTfjs, loadTfjs, TFJS_PACKAGES } from "./tfjs-package.node.ts";

/** What is to compute. */
export interface WantedEngine {
  /** `onnxruntime` where it is left out. */
  readonly engine?: string;
  /** Left out, it is the processor for onnxruntime, where its package computes for tfjs, and auto for auto. */
  readonly device?: DeviceChoice;
  /** Of one operator on the processor; the runtime's choice where it is left out. */
  readonly threads?: number;
  /** Makes ONNX Runtime's sessions: onnxruntime-node's where it is left out. */
  readonly createSession?: SessionMaker;
}

/** How long a device that need not be taken has to answer in a process of its own. */
const PROBE_SECONDS = 60;

/** @throws FivecropError where it does not work. */
async function tryFirst(name: ProbeName): Promise<Found> {
  const there = await probe(name, PROBE_SECONDS);
  if (!there.works) throw new FivecropError(there.message.replace(/^a product of two matrices: /, ""));
  return there;
}

/** @param first it is tried in a process of its own before this one */
const onnxRuntimeOn = (device: Exclude<Device, "wasm">, make: SessionMaker = createSession, first = false): Candidate => ({
  engine: "onnxruntime",
  device,
  async find() {
    if (first) await tryFirst(device);
    return {
      runtime: `onnxruntime-node ${RUNTIME_VERSION}`,
      versions: {},
      create: ({ threads, ...options }) =>
        createOnnxRuntimeEngine({ ...options, createSession: make, ...(device === "cpu" ? { threads } : { device }) }),
    };
  },
});

function foundTfjs({ tf, packageName, version, gpu }: LoadedTfjs): FoundEngine {
  const looked = packageName === TFJS_PACKAGES[0];
  return {
    runtime: `${packageName} ${version}${looked && !gpu ? ", which uses no graphics card" : ""}`,
    versions: { [packageName]: version },
    create: ({ network, optimizer, average }) => createTfjsEngine({ network, optimizer, average, tf, packageName }),
  };
}

/** TensorFlow.js on a card. It need not be there. */
const tfjsOnCard = (threads: number | undefined): Candidate => ({
  engine: "tfjs",
  device: "cuda",
  async find() {
    const [packageName] = TFJS_PACKAGES;
    if (!installedTfjs().includes(packageName)) throw new FivecropError(`${packageName} is not installed`);
    const { card } = await tryFirst(packageName);
    if (!card) throw new FivecropError(`${packageName} is installed and found no graphics card`);
    return foundTfjs(loadTfjs({ packageName, threads }));
  },
});

const only = (candidate: Candidate, processor: Candidate): Candidates => ({ candidates: [candidate], processor, needsFaster: false });

type Rule = (wanted: WantedEngine) => Candidates;

/** What `--engine` takes. */
const RULES: Readonly<Record<(typeof ENGINE_NAMES)[number], Rule>> = {
  onnxruntime({ device = "cpu", createSession: make }) {
    const processor = onnxRuntimeOn("cpu", make);
    if (device !== "auto") return only(onnxRuntimeOn(device, make), processor);
    return { candidates: [onnxRuntimeOn("cuda", make, true), onnxRuntimeOn("webgpu", make, true)], processor, needsFaster: true };
  },
  tfjs({ device = "auto", threads, createSession: make }) {
    if (device === "webgpu")
      throw new UsageError(
        "--device: the engine tfjs computes on cpu or cuda, received webgpu. To fix: choose one of them, or the engine onnxruntime.",
      );
    const loaded = loadTfjs({ threads, hideCards: device === "cpu" });
    const { packageName, gpu } = loaded;
    if (threads !== undefined && packageName === "@tensorflow/tfjs")
      throw new UsageError(
        `--threads: ${packageName} has one thread, received ${threads}. To fix: leave it out, or install @tensorflow/tfjs-node.`,
      );
    if (device === "cuda" && !gpu)
      throw new FivecropError(
        `--device: the engine tfjs has no graphics card: ${packageName} ${packageName === TFJS_PACKAGES[0] ? "found none" : "computes on the processor"}. ` +
          "To fix: fivecrop doctor says what works here, or choose the device cpu.",
      );
    return only({ engine: "tfjs", device: gpu ? "cuda" : "cpu", find: async () => foundTfjs(loaded) }, onnxRuntimeOn("cpu", make));
  },
  auto(wanted) {
    const { device = "auto", threads } = wanted;
    if (device === "cpu" || device === "webgpu") return RULES.onnxruntime(wanted);
    const others = RULES.onnxruntime({ ...wanted, device });
    return { ...others, candidates: [tfjsOnCard(threads), ...others.candidates] };
  },
};

/**
 * What may compute as it was asked for, the fastest first.
 * @throws UsageError for an unknown engine, or a device that it does not have. FivecropError where the packages of one that was asked for are not installed
 * or cannot be loaded: no other takes its place.
 */
export const candidatesFor = (wanted: WantedEngine): Candidates => lookUp<Rule>("engine", RULES, wanted.engine ?? ENGINE_NAMES[0])(wanted);

/** @throws UsageError where both a card and a number of threads are asked of ONNX Runtime, which has threads on the processor alone. */
export function checkThreads({ engine, device, threads }: WantedEngine): void {
  if (threads !== undefined && engine !== "tfjs" && (device === "webgpu" || device === "cuda"))
    throw new UsageError(
      `--threads: onnxruntime takes no number of them on ${device}, received ${threads}. To fix: leave it out, or choose the device cpu.`,
    );
}

/**
 * The engine and the device of a training.
 * @throws UsageError, FivecropError as `candidatesFor` does; where what was asked for is not there, or its step is wrong.
 */
export async function chooseEngine(options: WantedEngine & Omit<ChooseOptions, "explain">): Promise<ChosenEngine> {
  checkThreads(options);
  return choose(candidatesFor(options), options);
}
