import { DeviceMemoryError } from "../core/errors.ts";
import { stepOfNoise } from "./device-check.ts";
import type { TrainingEngine } from "./engine.ts";

/**
 * The largest half, quarter … of a batch size that a device trains: each is tried with one step on images of noise, until one runs.
 * @param make a new engine on the device; it is disposed of
 * @returns undefined where not even one image fits
 */
export async function fittingBatch(batchSize: number, make: () => TrainingEngine): Promise<number | undefined> {
  for (let size = Math.floor(batchSize / 2); size >= 1; size = Math.floor(size / 2)) {
    try {
      await stepOfNoise(make(), size);
      return size;
    } catch (error) {
      if (!(error instanceof DeviceMemoryError)) throw error;
    }
  }
  return undefined;
}
