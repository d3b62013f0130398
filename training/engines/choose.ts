import { FivecropError, reasonOf } from "../../core/errors.ts";
import type { Device } from "../../core/session.ts";
import { checkTrainingDevice, type TrainingDeviceCheck } from "../device-check.ts";
import type { TrainingEngine } from "../engine.ts";
import type { EngineName } from "./names.ts";
import type { OnnxRuntimeEngineOptions } from "./onnxruntime.ts";

/** What an engine is made from, whichever it is. */
export type EngineOptions = Pick<OnnxRuntimeEngineOptions, "network" | "optimizer" | "average" | "threads">;

/** An engine that is there. */
export interface FoundEngine {
  /** What computes: "@tensorflow/tfjs-node 4.22.0". */
  readonly runtime: string;
  /** Versions of what computes besides ONNX Runtime. */
  readonly versions: Readonly<Record<string, string>>;
  create(options: EngineOptions): TrainingEngine;
}

/** An engine on a device: a way to compute a run's steps. */
export interface Candidate {
  readonly engine: EngineName;
  readonly device: Device;
  /** @throws FivecropError where it is not there. */
  readonly find: () => Promise<FoundEngine>;
}

/** Every way that does what was asked for, the fastest first. */
export interface Candidates {
  readonly candidates: readonly [Candidate, ...Candidate[]];
  /** What a device's step is compared with. */
  readonly processor: Candidate;
  /** A candidate has to be faster than the processor, which takes its place otherwise. */
  readonly needsFaster: boolean;
}

/** What computes, and why. */
export interface EngineReport {
  readonly engine: EngineName;
  readonly device: Device;
  readonly runtime: string;
  readonly why: string;
  /** What was tried before it, and why it was not taken. */
  readonly refused: readonly RefusedEngine[];
  /** Of a device other than the processor. */
  readonly check?: TrainingDeviceCheck;
}

export interface RefusedEngine {
  readonly engine: EngineName;
  readonly device: Device;
  readonly reason: string;
}

/** The engine of a training that was chosen. */
export interface ChosenEngine extends EngineReport {
  readonly versions: Readonly<Record<string, string>>;
  /** A new engine, as often as it is called. */
  create(): TrainingEngine;
}

/** What is to be trained. */
export interface ChooseOptions extends EngineOptions {
  readonly batchSize: number;
  /** Makes of an error of the only way that there is what is to be thrown; the error itself where it is left out. */
  readonly explain?: (error: unknown, at: Pick<ChosenEngine, "device" | "create">) => Promise<unknown>;
  /** How long a device that need not be taken has to start and prove itself, 60. */
  readonly trialSeconds?: number;
}

/** So many images say whether a device is right; and whether it is faster. */
const IMAGES = { right: 8, faster: 32 } as const;

/**
 * The first of the candidates that is there, is right and, where it need not be taken, is faster than the processor: a device other than that trains one
 * step beside it first.
 * @throws FivecropError where none is.
 */
export async function choose({ candidates, processor, needsFaster }: Candidates, options: ChooseOptions): Promise<ChosenEngine> {
  const { network, optimizer, average, threads, batchSize, explain = async (error: unknown) => error, trialSeconds = 60 } = options;
  const training: EngineOptions = { network, optimizer, average, threads };
  const reference = await processor.find();
  const refused: (RefusedEngine & { readonly slower?: true })[] = [];
  const without = refused as readonly RefusedEngine[];
  const only = !needsFaster && candidates.length === 1;
  for (const { engine, device, find } of candidates) {
    let create: FoundEngine["create"] | undefined;
    try {
      const { runtime, versions, create: make } = await find();
      create = make;
      const chosen = { engine, device, runtime, versions, create: () => make(training), refused: without };
      if (device === processor.device) return { ...chosen, why: ASKED };
      const check = await checkTrainingDevice({
        device,
        processor: processor.device,
        images: Math.min(batchSize, needsFaster ? IMAGES.faster : IMAGES.right),
        engineOn: (where) => (where === device ? make(training) : reference.create(training)),
        ...(needsFaster && { seconds: trialSeconds }),
      });
      if (!needsFaster) return { ...chosen, why: ASKED, check };
      const { images, seconds } = check;
      const times = `a step of ${images} images takes ${seconds.device.toFixed(3)} s there, ${seconds.processor.toFixed(3)} s on ${processor.device}`;
      if (seconds.device < seconds.processor) return { ...chosen, why: times, check };
      refused.push({ engine, device, reason: `slower: ${times}`, slower: true });
    } catch (error) {
      const make = create;
      if (only) throw make ? await explain(error, { device, create: () => make(training) }) : error;
      if (!(error instanceof FivecropError)) throw error;
      refused.push({ engine, device, reason: reasonOf(error) });
    }
  }
  if (!needsFaster) throw new FivecropError(`${candidates[0].device}: no engine computes there. ${reasons(refused)}. To fix: ${MEND}.`);
  const why = refused.some(({ slower }) => slower) ? "it is the fastest here" : "it is what works here";
  const { engine, device } = processor;
  const { runtime, versions, create } = reference;
  return { engine, device, runtime, versions, create: () => create(training), why, refused: without };
}

const ASKED = "it was asked for";
const MEND = "fivecrop doctor says what is missing, or choose the device cpu";

const reasons = (refused: readonly RefusedEngine[]): string => refused.map(({ engine, reason }) => `${engine}: ${reason}`).join("; ");
