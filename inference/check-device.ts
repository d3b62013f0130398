import { FivecropError } from "../core/errors.ts";
import type { Device, Session, SessionMaker } from "../core/session.ts";
import type { GoldenSamples } from "../export/golden-samples.ts";
import type { Image } from "../pipeline/image.ts";
import { type ContractOptions, metadataOf } from "./model-contract.ts";
import { samplePictures } from "./sample-pictures.ts";
import { describeDivergence, recordSamples, type VerifySamplesOptions, verifySamples } from "./verify-samples.ts";

/** What a device other than the processor was found to answer before it was used. */
export interface DeviceCheck {
  readonly device: Device;
  /** What its answers were compared with: the samples that the file carries or, where it carries none, the processor's answers to generated pictures. */
  readonly against: "golden samples" | Device;
  readonly samples: number;
  /** Of two probabilities of one class. */
  readonly largestDifference: number;
}

export interface CheckDeviceOptions {
  /** The session that is to answer. */
  readonly session: Session;
  readonly device: Device;
  /** The device that answers where a file carries no samples. */
  readonly processor: Device;
  readonly createSession: SessionMaker;
  readonly decode: VerifySamplesOptions["decode"];
  /** What the caller says of the model. */
  readonly contract: ContractOptions;
  readonly name: string;
}

/**
 * Replays the golden samples of a model's file, one by one and all in one batch, on the session that is to answer.
 * @throws FivecropError with the numbers, where its answers are not those of the file or of the processor.
 */
export async function checkDevice(
  model: Uint8Array,
  { session, device, processor, createSession, decode, contract, name }: CheckDeviceOptions,
): Promise<DeviceCheck> {
  const carried = metadataOf(model, name)?.samples;
  const lent = async (): Promise<Session> => ({ ...session, dispose: async () => undefined });
  const options = { createSession: lent, together: true, name };
  const { samples, largestDifference, divergence, views } = carried?.samples.length
    ? await verifySamples(model, { ...options, decode })
    : await verifySamples(model, { ...options, ...contract, ...(await answersOf(processor, model, createSession, contract, name)) });
  const against = carried?.samples.length ? "golden samples" : processor;
  if (divergence) {
    const what = against === "golden samples" ? "its golden samples" : `what ${processor} answers for generated pictures`;
    throw new FivecropError(
      `${name}: ${device} is not used, its answers are wrong: compared with ${what}, a probability differs by ${largestDifference.toPrecision(2)}. ` +
        `First stage that diverges: ${describeDivergence(divergence, views)}. To fix: choose the device ${processor}.`,
    );
  }
  return { device, against, samples, largestDifference };
}

/** What the processor makes of the generated pictures, as samples that are replayed without a file to decode. */
async function answersOf(
  processor: Device,
  model: Uint8Array,
  createSession: SessionMaker,
  contract: ContractOptions,
  name: string,
): Promise<{ readonly golden: GoldenSamples; readonly decode: VerifySamplesOptions["decode"] }> {
  const pictures = new Map(samplePictures().map((picture) => [picture.name, picture.image]));
  const files = Array.from(pictures, ([picture, image]) => ({ name: picture, image, file: new Uint8Array() }));
  const onProcessor: SessionMaker = (bytes, options) => createSession(bytes, { ...options, device: processor });
  return {
    golden: await recordSamples(model, files, { ...contract, createSession: onProcessor, name }),
    decode: (_file, picture) => pictures.get(picture) as Image,
  };
}
