import { DeviceMemoryError } from "../core/errors.ts";
import { stepOfNoise } from "./device-check.ts";
import type { TrainingEngine } from "./engine.ts";

/**
 * The largest half, quarter … of a batch that a device trains: each is tried with one step on images of noise, until one runs.
 * @param images [N, C, H, W] of the batch that it did not
 * @param make a new engine on the device; it is disposed of
 * @returns how many images; undefined where not even one fits
 */
export async function fittingBatch([N, ...image]: readonly number[], make: () => TrainingEngine): Promise<number | undefined> {
  for (let size = Math.floor(N / 2); size >= 1; size = Math.floor(size / 2)) {
    try {
      await stepOfNoise(make(), [size, ...image]);
      return size;
    } catch (error) {
      if (!(error instanceof DeviceMemoryError)) throw error;
    }
  }
  return undefined;
}
