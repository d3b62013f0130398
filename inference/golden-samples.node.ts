import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import sharp from "sharp";
import { FivecropError, UsageError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import { readModel } from "../core/read-file.node.ts";
import { createSession } from "../core/session.node.ts";
import type { Device } from "../core/session.ts";
import { createSession as createInThread } from "../core/session.worker.node.ts";
import { fromBase64, type GoldenSamples } from "../export/golden-samples.ts";
import { appendMetadata, type ModelMetadata, readMetadata } from "../export/metadata.ts";
import { selfContained } from "../export/self-contained.ts";
import { decodeImage } from "../pipeline/decode.node.ts";
import { carrySamples } from "./carry-samples.ts";
import { metadataOf } from "./model-contract.ts";
import { samplePictures } from "./sample-pictures.ts";
import { recordSamples, type SampleFile, type Verification, verifySamples } from "./verify-samples.ts";

/** The largest picture's file that a model is made to carry, in bytes. */
const LARGEST_FILE = 2 ** 20;

export interface GoldenOptions {
  /** Pictures' files to carry in place of the generated ones. */
  readonly files?: readonly string[];
  /** What an error's message calls the model. */
  readonly name?: string;
}

/** The model's file with golden samples in its metadata: what it answers now for three small pictures. @throws FivecropError, UsageError */
export async function withGoldenSamples(model: Uint8Array, { files, name = "the model" }: GoldenOptions = {}): Promise<Uint8Array> {
  const read = async (): Promise<SampleFile[]> => (files?.length ? await Promise.all(files.map(readSample)) : generated());
  return carrySamples(model, read, { createSession, name });
}

/**
 * The model's file with another temperature, and its golden samples (the same pictures) answered by it.
 * @throws FivecropError where its output is no logits, it carries no metadata, or a picture of it cannot be read.
 */
export async function withTemperature(model: Uint8Array, temperature: number, name = "the model"): Promise<Uint8Array> {
  const found = metadataOf(model, name);
  if (!found)
    throw new FivecropError(`${name} carries no fivecrop metadata: expected labels and preprocessing, beside which a temperature is kept`);
  const { samples, ...rest } = found;
  const metadata: ModelMetadata = { ...rest, temperature };
  const tempered = appendMetadata(model, metadata);
  if (!samples) return withGoldenSamples(tempered, { name });
  const pictures = await Promise.all(
    samples.samples.map(async ({ name: picture, file }) => {
      const bytes = fromBase64(file);
      return { name: picture, file: bytes, image: await decodeImage(bytes, picture) };
    }),
  );
  const recorded = await recordSamples(tempered, pictures, { createSession, name, views: samples.views });
  return appendMetadata(tempered, { ...metadata, samples: recorded });
}

export interface SelfContainedFile {
  readonly bytes: Uint8Array;
  readonly views: string;
  /** How far its answers are from the ordinary path's: the largest difference of two probabilities on its samples. */
  readonly largestDifference: number;
}

/**
 * Beyond that the file is not what it was made of: its resizing is within a level or two of the ordinary one. On photos that moves probabilities by
 * less than 0.001; generated pictures are harder (noise, of which networks are unsure): trained networks were seen to move by up to 0.002 on them.
 */
const LARGEST_DIFFERENCE = 0.01;

/**
 * A self-contained file of a model that carries metadata, with golden samples, compared on them with the ordinary path.
 * @throws FivecropError where they differ by more than one percentage point. UsageError for unknown views.
 */
export async function makeSelfContained(
  model: Uint8Array,
  { views, files, name = "the model" }: GoldenOptions & { readonly views?: string } = {},
): Promise<SelfContainedFile> {
  const metadata = metadataOf(model, name);
  if (!metadata) throw new UsageError(`${name} carries no fivecrop metadata. To fix: give --labels and --preprocess.`);
  const chosen = views ?? metadata.views ?? "none";
  const ordinary = await withGoldenSamples(appendMetadata(model, { ...metadata, views: chosen }), { files, name });
  const bytes = await withGoldenSamples(selfContained(model, { metadata, views: chosen, name }), { files, name });
  const largestDifference = differenceOf(readMetadata(ordinary)?.samples, readMetadata(bytes)?.samples);
  if (!(largestDifference <= LARGEST_DIFFERENCE))
    throw new FivecropError(
      `${name}: the self-contained file's probabilities differ from the ordinary path's by ${largestDifference}, expected at most ${LARGEST_DIFFERENCE}. The file was not written.`,
    );
  return { bytes, views: chosen, largestDifference };
}

/** Where and as what a model is verified. */
export interface VerifyFileOptions {
  /** cpu */
  readonly device?: Device;
  /** What an error's message calls the model. */
  readonly name?: string;
}

/** Replays the samples of a model's file on a device. @throws FivecropError, UsageError */
export const verifyFile = async (file: string, options: VerifyFileOptions = {}): Promise<Verification> =>
  verifyModel(await readModel(file), { name: file, ...options });

/** The same of its bytes. @throws FivecropError, UsageError */
export async function verifyModel(
  model: Uint8Array,
  { device = "cpu", name = "the model" }: VerifyFileOptions = {},
): Promise<Verification> {
  const onProcessor = device === "cpu";
  if (!onProcessor) refuseSelfContainedOn(device, model, name);
  return verifySamples(model, {
    createSession: onProcessor ? createSession : (bytes, options) => createInThread(bytes, { ...options, device }),
    decode: (bytes, picture) => decodeImage(bytes, picture),
    together: !onProcessor,
    name,
  });
}

/** @throws FivecropError where the model is self-contained, and the device has no operators for 8-bit pictures. */
export function refuseSelfContainedOn(device: Device, model: Uint8Array, name: string): void {
  if (device === "webgpu" && metadataOf(model, name)?.selfContained)
    throw new FivecropError(
      `${name} is self-contained: its graph resizes 8-bit pictures, for which ${device} has no operators, and they would run on the processor. ` +
        `To fix: verify it on another device, and the file that it was made of on ${device}.`,
    );
}

const generated = (): Promise<SampleFile[]> =>
  Promise.all(
    samplePictures().map(async ({ name, image }) => {
      const { width, height, channels, data } = image;
      const file = await sharp(data, { raw: { width, height, channels } }).png({ compressionLevel: 9, palette: false }).toBuffer();
      return { name, image, file: new Uint8Array(file) };
    }),
  );

async function readSample(path: string): Promise<SampleFile> {
  let file: Uint8Array;
  try {
    const { size } = await stat(path);
    if (size > LARGEST_FILE)
      throw new UsageError(
        `--samples: ${path} has ${size} bytes, expected at most ${LARGEST_FILE}: the model is to carry it. To fix: shrink it.`,
      );
    file = await readFile(path);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new FivecropError(`--samples: cannot read ${path}: ${fileReason(cause)}. To fix: name a picture's file.`, { cause });
  }
  return { name: basename(path), file, image: await decodeImage(file, path) };
}

function differenceOf(a: GoldenSamples | undefined, b: GoldenSamples | undefined): number {
  const floats = (text: string) => new Float32Array(fromBase64(text).buffer);
  const differences = (a?.samples ?? []).map(({ probabilities }, i) => {
    const other = floats(b?.samples[i].probabilities ?? "");
    return floats(probabilities).reduce((worst, p, k) => Math.max(worst, Math.abs(p - other[k])), 0);
  });
  return Math.max(...differences);
}
