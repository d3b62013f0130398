import { FivecropError, messageOf } from "../../core/errors.ts";
import type { Device } from "../../core/session.ts";
import { within } from "../within.ts";

/** What one device took for the same work as the processor, after its results were compared. */
export interface DeviceTrial {
  readonly seconds: { readonly device: number; readonly processor: number };
  /** "its features differ by 2e-6 from those of wasm" */
  readonly proof: string;
}

export interface Chosen {
  readonly device: Device;
  /** Why, a sentence. */
  readonly why: string;
}

export interface DeviceChoiceOptions {
  /** One device, or `auto`: the faster of the two that is right. */
  readonly choice: Device | "auto";
  readonly processor: Device;
  /** @throws FivecropError where the device is not there, or not right. */
  readonly tryOn: (device: Device) => Promise<DeviceTrial>;
  /** How long a device that was not asked for has to start and prove itself, 20. */
  readonly trialSeconds?: number;
}

const time = (seconds: number): string => `${(1e3 * seconds).toPrecision(3)} ms`;

/** WebGPU or the processor: another device than the processor proves first that it is right. @throws FivecropError where one was asked for that is not. */
export async function chooseDevice({ choice, processor, tryOn, trialSeconds = 20 }: DeviceChoiceOptions): Promise<Chosen> {
  if (choice === processor) return { device: processor, why: `${processor} was asked for.` };
  const device = choice === "auto" ? "webgpu" : choice;
  try {
    const trial = () => tryOn(device);
    const { seconds, proof } = await (choice === "auto" ? within(trialSeconds, trial) : trial());
    const times = `${device} takes ${time(seconds.device)}, ${processor} ${time(seconds.processor)}`;
    if (choice !== "auto") return { device, why: `${device} was asked for: ${proof}; ${times}.` };
    return { device: seconds.device < seconds.processor ? device : processor, why: `${times}; ${proof}.` };
  } catch (error) {
    if (choice !== "auto" || !(error instanceof FivecropError)) throw error;
    return { device: processor, why: `${device} is not used: ${messageOf(error).replace(/(\. To fix: .*)?\.?$/s, "")}.` };
  }
}
