import { createSession } from "../core/session.browser.ts";
import type { Device } from "../core/session.ts";
import { decodeImage } from "../pipeline/decode.browser.ts";
import { type Verification, verifySamples } from "./verify-samples.ts";

export interface VerifyModelOptions {
  /** wasm */
  readonly device?: Device;
  /** What an error's message calls the model. */
  readonly name?: string;
}

/**
 * Replays the golden samples that a model's file carries on a device of this browser, and compares every stage with what was recorded.
 * @throws FivecropError where the file carries none, or the device cannot run it.
 */
export const verifyModel = (model: Uint8Array, { device = "wasm", name }: VerifyModelOptions = {}): Promise<Verification> =>
  verifySamples(model, {
    createSession: (bytes, options) => createSession(bytes, { ...options, device }),
    decode: decodeImage,
    together: device !== "wasm",
    name,
  });
