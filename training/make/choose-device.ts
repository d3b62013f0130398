import { FivecropError, reasonOf } from "../../core/errors.ts";
import type { Device, Session, SessionMaker } from "../../core/session.ts";
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
  /** Why another device than the processor cannot be used: what is next to be computed need not try it again. */
  readonly refused?: string;
}

export interface DeviceChoiceOptions {
  /** One device, or `auto`: the faster of the two that is right. */
  readonly choice: Device | "auto";
  readonly processor: Device;
  /** @param signal aborted: nobody waits for it any longer. @throws FivecropError where the device is not there, or not right. */
  readonly tryOn: (device: Device, signal: AbortSignal) => Promise<DeviceTrial>;
  /** How long a device that was not asked for has to start and prove itself, 20. */
  readonly trialSeconds?: number;
  /** What an earlier choice of the same run was refused for. */
  readonly refused?: string;
}

/** Sessions that are made and run no more once the signal is aborted: a run that is under way is finished. */
export const stoppable =
  (createSession: SessionMaker, signal: AbortSignal): SessionMaker =>
  async (model, options) => {
    const goOn = (): void => {
      if (signal.aborted) throw new FivecropError("it was stopped");
    };
    goOn();
    const session = await createSession(model, options);
    const run: Session["run"] = async (feeds, fetches) => {
      goOn();
      return session.run(feeds, fetches);
    };
    const runOnDevice: Session["runOnDevice"] =
      session.runOnDevice &&
      (async (feeds, fetches) => {
        goOn();
        return session.runOnDevice!(feeds, fetches);
      });
    return { ...session, run, ...(runOnDevice && { runOnDevice }) };
  };

const time = (seconds: number): string => `${(1e3 * seconds).toPrecision(3)} ms`;

/** WebGPU or the processor: another device than the processor proves first that it is right. @throws FivecropError where one was asked for that is not. */
export async function chooseDevice({ choice, processor, tryOn, trialSeconds = 20, refused }: DeviceChoiceOptions): Promise<Chosen> {
  if (choice === processor) return { device: processor, why: `${processor} was asked for.` };
  const device = choice === "auto" ? "webgpu" : choice;
  if (choice === "auto" && refused) return { device: processor, why: refused, refused };
  const stop = new AbortController();
  try {
    const trial = () => tryOn(device, stop.signal);
    const { seconds, proof } = await (choice === "auto" ? within(trialSeconds, trial, stop) : trial());
    const times = `${device} takes ${time(seconds.device)}, ${processor} ${time(seconds.processor)}`;
    if (choice !== "auto") return { device, why: `${device} was asked for: ${proof}; ${times}.` };
    return { device: seconds.device < seconds.processor ? device : processor, why: `${times}; ${proof}.` };
  } catch (error) {
    if (choice !== "auto" || !(error instanceof FivecropError)) throw error;
    const why = `${device} is not used: ${reasonOf(error)}.`;
    return { device: processor, why, refused: why };
  }
}
