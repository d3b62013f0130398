import { FivecropError, messageOf } from "../core/errors.ts";
import { fromBase64, type GoldenSample, type GoldenSamples, type GoldenView, toBase64 } from "../export/golden-samples.ts";
import type { Image } from "../pipeline/image.ts";
import { nameOfView, parseViews } from "../pipeline/views.ts";
import { metadataOf } from "./model-contract.ts";
import { createReplayer, type ReplayOptions, type Stages, type Trace } from "./replay.ts";

/** The stages of an answer, in their order. */
export const STAGE_NAMES = ["decode", "resize", "view", "normalization", "graph"] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/** Where an answer left the recorded way. */
export interface Divergence {
  readonly stage: StageName;
  /** The sample's name. */
  readonly sample: string;
  /** Its view, from 0, where the stage has one. */
  readonly view?: number;
  readonly expected: string;
  readonly found: string;
}

export interface Verification {
  readonly views: string;
  readonly samples: number;
  /** Of two probabilities of one class, over all samples that could be decoded. */
  readonly largestDifference: number;
  /** At the earliest stage that diverges anywhere; `undefined` where all agree. */
  readonly divergence?: Divergence;
}

export interface VerifySamplesOptions extends Omit<ReplayOptions, "stages"> {
  readonly decode: Stages["decode"];
  readonly stages?: Omit<Stages, "decode">;
  /** The largest difference of two probabilities that is no divergence, 1e-4: runtimes and threads sum in other orders. */
  readonly tolerance?: number;
  /** Also replays all samples in one batch, false: a device may be right for one picture and wrong for many. */
  readonly together?: boolean;
  /** Samples in place of those that the file carries. */
  readonly golden?: GoldenSamples;
}

/** A picture's file, its pixels, and what to call it. */
export interface SampleFile {
  readonly name: string;
  readonly file: Uint8Array;
  readonly image: Image;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/** What a model answers for these pictures now, to be carried in its file. @throws UsageError, FivecropError as createClassifier does */
export async function recordSamples(model: Uint8Array, files: readonly SampleFile[], options: ReplayOptions): Promise<GoldenSamples> {
  const replayer = await createReplayer(model, options);
  try {
    const samples: GoldenSample[] = [];
    for (const { name, file, image } of files) {
      const { probabilities, ...trace } = await replayer.replay(image);
      samples.push({ name, file: toBase64(file), ...trace, probabilities: toBase64(bytesOf(probabilities)) });
    }
    return { views: replayer.views, samples };
  } finally {
    await replayer.dispose();
  }
}

/** The samples that a model's file carries. @throws FivecropError where there are none. */
export function samplesOf(model: Uint8Array, name: string): GoldenSamples {
  const golden = metadataOf(model, name)?.samples;
  if (golden?.samples.length) return golden;
  throw new FivecropError(
    `${name} carries no golden samples: expected at least one, found none. To fix: export it again with this version, or adopt it.`,
  );
}

/**
 * Replays the samples that a model's file carries, and compares every stage with what was recorded: pixels and floats by checksum, probabilities by value.
 * @throws FivecropError where the file carries none, or they are damaged. UsageError, FivecropError as createClassifier does.
 */
export async function verifySamples(
  model: Uint8Array,
  { decode, tolerance = 1e-4, together = false, name = "the model", ...options }: VerifySamplesOptions,
): Promise<Verification> {
  const { golden = samplesOf(model, name), ...rest } = options;
  const replayer = await createReplayer(model, { views: golden.views, ...rest, name });
  let largestDifference = 0;
  const divergences: Divergence[] = [];
  const compare = (found: Float32Array, sample: GoldenSample, where = ""): void => {
    const difference = largestOf(found, sample, name);
    largestDifference = Math.max(largestDifference, difference);
    if (!(difference <= tolerance))
      divergences.push({ stage: "graph", sample: sample.name, expected: `at most ${tolerance}`, found: `${difference}${where}` });
  };
  try {
    const seen: { readonly sample: GoldenSample; readonly image: Image }[] = [];
    for (const sample of golden.samples) {
      let image: Image;
      try {
        image = await decode(decoded(sample, "file", name), sample.name);
      } catch (error) {
        if (!(error instanceof FivecropError)) throw error;
        divergences.push({ stage: "decode", sample: sample.name, expected: sample.pixels, found: messageOf(error) });
        continue;
      }
      seen.push({ sample, image });
      const trace = await replayer.replay(image);
      divergences.push(...divergencesOf(sample, trace));
      compare(trace.probabilities, sample);
    }
    const all = together && seen.length > 0 ? await replayer.replayTogether?.(seen.map(({ image }) => image)) : undefined;
    all?.forEach((found, i) => {
      compare(found, seen[i].sample, ", all samples in one batch");
    });
  } finally {
    await replayer.dispose();
  }
  const order = ({ stage }: Divergence): number => STAGE_NAMES.indexOf(stage);
  const [divergence] = divergences.sort((a, b) => order(a) - order(b));
  return { views: golden.views, samples: golden.samples.length, largestDifference, ...(divergence && { divergence }) };
}

/** "resize (shapes, upper-left): expected …, found …" @param views as the verification names them */
export function describeDivergence({ stage, sample, view, expected, found }: Divergence, views: string): string {
  const where = view === undefined ? sample : `${sample}, ${nameOfView(parseViews(views)[view])}`;
  return `${stage} (${where}): expected ${expected}, found ${found}`;
}

const VIEW_STAGES: readonly (readonly [StageName, keyof GoldenView])[] = [
  ["resize", "resized"],
  ["view", "view"],
  ["normalization", "normalized"],
];

function divergencesOf(sample: GoldenSample, trace: Trace): Divergence[] {
  const at = { sample: sample.name };
  if (trace.pixels !== sample.pixels) return [{ ...at, stage: "decode", expected: sample.pixels, found: trace.pixels }];
  if (trace.views.length !== sample.views.length)
    return [{ ...at, stage: "view", expected: `${sample.views.length} views`, found: `${trace.views.length}` }];
  return trace.views.flatMap((found, view) =>
    VIEW_STAGES.filter(([, field]) => found[field] !== sample.views[view][field]).map(([stage, field]) => ({
      ...at,
      stage,
      view,
      expected: sample.views[view][field],
      found: found[field],
    })),
  );
}

function largestOf(found: Float32Array, sample: GoldenSample, name: string): number {
  const expected = new Float32Array(decoded(sample, "probabilities", name).slice().buffer);
  if (expected.length !== found.length)
    throw new FivecropError(`${name}: sample '${sample.name}' has ${expected.length} probabilities, expected ${found.length}, one a class`);
  return found.reduce((worst, p, k) => Math.max(worst, Math.abs(p - expected[k])), 0);
}

function decoded(sample: GoldenSample, field: "file" | "probabilities", name: string): Uint8Array {
  try {
    const bytes = fromBase64(sample[field]);
    if (field === "file" || bytes.length % 4 === 0) return bytes;
    throw new FivecropError(`${bytes.length} bytes are no float32 numbers`);
  } catch (cause) {
    throw new FivecropError(
      `${name}: sample '${sample.name}': its ${field} cannot be read: ${messageOf(cause)}. To fix: export it again.`,
      { cause },
    );
  }
}
