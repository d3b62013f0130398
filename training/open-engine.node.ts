import { existsSync } from "node:fs";
import { join } from "node:path";
import { DeviceLostError, DeviceMemoryError, FivecropError, messageOf, UsageError } from "../core/errors.ts";
import { createSession } from "../core/session.node.ts";
import type { Device } from "../core/session.ts";
import { shellWord } from "../core/text.ts";
import { checkpointFile } from "./checkpoint.node.ts";
import { checkTrainingDevice, type TrainingDeviceCheck } from "./device-check.ts";
import type { DeviceChoice } from "./devices.ts";
import { probe } from "./doctor/probe.node.ts";
import type { TrainingEngine } from "./engine.ts";
import type { ChosenEngine } from "./engines/choose.node.ts";
import { createOnnxRuntimeEngine, type OnnxRuntimeEngineOptions } from "./engines/onnxruntime.ts";
import { fittingBatch } from "./fitting-batch.ts";

/** Which device a run took, and why. */
export interface DeviceEvent {
  readonly kind: "device";
  readonly engine: string;
  readonly device: Device;
  readonly why: string;
  /** What was tried before it, and why it was not taken. */
  readonly refused: readonly { readonly device: Device; readonly reason: string }[];
  readonly check?: TrainingDeviceCheck;
}

export interface OpenEngineOptions extends Pick<OnnxRuntimeEngineOptions, "network" | "optimizer" | "average" | "threads"> {
  readonly chosen: ChosenEngine;
  readonly device: DeviceChoice;
  readonly batchSize: number;
}

/** So many images say whether a device is right; and whether it is faster. */
const IMAGES = { right: 8, faster: 32 } as const;

/**
 * The engine of a run on the device that was asked for; a device other than the processor proves first that its step is right.
 * @throws FivecropError where the device is not there or not right; UsageError where the engine does not go by devices.
 */
export async function* openEngine({
  chosen,
  device: choice,
  batchSize,
  ...options
}: OpenEngineOptions): AsyncGenerator<DeviceEvent, TrainingEngine, undefined> {
  if (chosen.engine !== "onnxruntime") {
    if (choice !== "cpu" && choice !== "auto")
      throw new UsageError(
        `--device: the engine ${chosen.engine} computes where its package does (${chosen.why}): expected no device beside it, received ${choice}. To fix: leave it out.`,
      );
    return chosen.create(options);
  }
  const engineOn = (device: Device): TrainingEngine =>
    createOnnxRuntimeEngine({ ...options, createSession, ...(device !== "cpu" && { device }) });
  const about = { kind: "device", engine: "onnxruntime" } as const;
  const check = (device: Device, most: number): Promise<TrainingDeviceCheck> =>
    checkTrainingDevice({ device, processor: "cpu", images: Math.min(batchSize, most), engineOn });
  if (choice === "cpu") return engineOn(choice);
  if (choice !== "auto") {
    const found = await check(choice, IMAGES.right);
    yield { ...about, device: choice, why: "it was asked for", refused: [], check: found };
    return engineOn(choice);
  }
  const refused: { device: Device; reason: string }[] = [];
  for (const device of ["cuda", "webgpu"] as const) {
    const there = await probe(device);
    if (!there.works) {
      refused.push({ device, reason: there.message });
      continue;
    }
    try {
      const found = await check(device, IMAGES.faster);
      const { seconds } = found;
      const times = `a step of ${found.images} images takes ${seconds.device.toFixed(3)} s there, ${seconds.processor.toFixed(3)} s on cpu`;
      if (seconds.device < seconds.processor) {
        yield { ...about, device, why: times, refused, check: found };
        return engineOn(device);
      }
      refused.push({ device, reason: `slower: ${times}` });
    } catch (error) {
      if (!(error instanceof FivecropError)) throw error;
      refused.push({ device, reason: messageOf(error) });
    }
  }
  yield { ...about, device: "cpu", why: "it is what works here", refused };
  return engineOn("cpu");
}

/** What a run says of a device that failed it. */
export interface FailedRun extends Omit<OpenEngineOptions, "chosen"> {
  readonly out: string;
  readonly program: string;
}

/** Whether what a run's device holds is of no use any more. */
export const isDeviceError = (error: unknown): boolean => error instanceof DeviceLostError || error instanceof DeviceMemoryError;

/** An error of a run as what to do now: which batch fits, or how to go on. Others stay as they are. */
export async function explainDeviceError(
  error: unknown,
  { out, program, batchSize, device: choice, ...options }: FailedRun,
  device: Device,
): Promise<unknown> {
  const resume = `${program} train --resume ${shellWord(out)}`;
  const saved = existsSync(join(out, checkpointFile("last")));
  if (error instanceof DeviceLostError) {
    const next = saved
      ? `The last checkpoint is whole. To go on from it: ${resume} --device ${device}, or --device cpu.`
      : `No epoch was finished, so there is no checkpoint. To fix: train anew with --overwrite, or on --device cpu.`;
    return new FivecropError(`${device} was lost in the middle of the run: ${messageOf(error)}. ${next}`, { cause: error });
  }
  if (!(error instanceof DeviceMemoryError)) return error;
  const make = (): TrainingEngine => createOnnxRuntimeEngine({ ...options, createSession, ...(device !== "cpu" && { device }) });
  const fits = await fittingBatch(batchSize, make).catch(() => null); // the device may not recover in this process
  const advice =
    fits === null
      ? "which would fit could not be tried after that. To fix: halve --batch-size"
      : fits === undefined
        ? `not even 1 image fits. To fix: choose smaller images, a smaller network, or --device cpu`
        : `batches of ${fits} fit, as a step of noise has shown. To fix: --batch-size ${fits}`;
  return new FivecropError(`${device} has not the memory for batches of ${batchSize}: ${advice}. (${messageOf(error)})`, { cause: error });
}
