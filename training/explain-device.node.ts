import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROGRAM } from "../core/command-line.node.ts";
import { DeviceLostError, DeviceMemoryError, FivecropError, messageOf } from "../core/errors.ts";
import { shellWord } from "../core/text.ts";
import { checkpointFile } from "./checkpoint.node.ts";
import type { ChosenEngine } from "./engines/choose.ts";
import type { SizeStage } from "./epoch-plan.ts";
import { fittingBatch } from "./fitting-batch.ts";

/** A run, for what is said of a device that failed it. */
export interface FailedRun {
  readonly out: string;
  readonly batchSize: number;
  readonly sizes?: readonly SizeStage[];
  /** Its checkpoints and its run.json are in its directory: it was resumed, or has begun. */
  readonly begun: boolean;
  readonly resumed: boolean;
}

/** Whether what a run's device holds is of no use any more. */
export const isDeviceError = (error: unknown): boolean => error instanceof DeviceLostError || error instanceof DeviceMemoryError;

/**
 * An error of a run as what to do now: which batch fits, or how to go on. Others stay as they are.
 * @param at what failed; `create` makes another engine there
 */
export async function explainDeviceError(
  error: unknown,
  run: FailedRun,
  { device, create }: Pick<ChosenEngine, "device" | "create">,
): Promise<unknown> {
  if (error instanceof DeviceLostError)
    return new FivecropError(`${device} was lost: ${messageOf(error)}. ${afterLoss(run, device)}`, { cause: error });
  if (!(error instanceof DeviceMemoryError)) return error;
  const network = create().network;
  const images = error.images ?? [run.batchSize, ...(network.graph.inputs[0].shape.slice(1) as number[])];
  const fits = await fittingBatch(images, create).catch(() => null); // the device may not recover in this process
  const [N, , ...size] = images;
  const what = `batches of ${N}${run.sizes?.length ? ` images of ${size.join("×")}` : ""}`;
  return new FivecropError(`${device} has not the memory for ${what}: ${advice(run, images, fits, device)} (${messageOf(error)})`, {
    cause: error,
  });
}

function afterLoss({ out, begun }: FailedRun, device: string): string {
  if (!begun || !existsSync(join(out, checkpointFile("last"))))
    return `There is no checkpoint yet. To fix: train anew${elsewhere(device)}.`;
  const resume = resumeCommand(out);
  return `The last checkpoint is whole. To go on from it: ${resume}${device === "cpu" ? "" : `, or on the processor: ${resume} --device cpu`}.`;
}

const resumeCommand = (out: string): string => `${PROGRAM} train --resume ${shellWord(out)}`;
const elsewhere = (device: string): string => (device === "cpu" ? "" : ", or on --device cpu");

function advice(
  { out, sizes = [], batchSize, begun, resumed }: FailedRun,
  images: readonly number[],
  fits: number | null | undefined,
  device: string,
): string {
  if (fits === undefined) return `not even 1 image fits. To fix: choose smaller images, a smaller network${elsewhere(device)}.`;
  const [N, , H, W] = images;
  const stage = sizes.findIndex((one) => one.size === Math.min(H, W) && one.batchSize !== undefined && one.batchSize >= N);
  const count = fits ?? Math.max(1, Math.floor((stage < 0 ? batchSize : sizes[stage].batchSize!) / 2));
  const option =
    stage < 0 ? `--batch-size ${count}` : `--sizes ${sizesText(sizes.map((one, i) => (i === stage ? { ...one, batchSize: count } : one)))}`;
  const found = fits === null ? "which would fit could not be tried after that" : `batches of ${fits} fit, as a step of noise has shown`;
  if (!begun) return `${found}. To fix: ${option}.`;
  const anew = `train anew with ${option} and --overwrite, or another --out`;
  if (!resumed) return `${found}. To fix: ${anew}.`;
  const here = device === "cpu" ? "" : `, or go on where there is more: ${resumeCommand(out)} --device cpu`;
  return `${found}, and a run that has begun keeps its batches. To fix: ${anew}${here}.`;
}

/** As `--sizes` takes them. */
const sizesText = (sizes: readonly SizeStage[]): string =>
  sizes.map(({ size, epochs, batchSize }) => [size, epochs, ...(batchSize === undefined ? [] : [batchSize])].join(":")).join(",");
