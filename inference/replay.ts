import type { SessionMaker } from "../core/session.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import type { GoldenView } from "../export/golden-samples.ts";
import { SELF_CONTAINED } from "../export/self-contained-ports.ts";
import type { Size } from "../pipeline/geometry.ts";
import { type Image, withChannels } from "../pipeline/image.ts";
import { normalizeInto, type PreprocessSpec } from "../pipeline/preprocess.ts";
import { type Filter, resize } from "../pipeline/resize.ts";
import { parseViews, planView, type View, viewImage } from "../pipeline/views.ts";
import { batchOf, cropsOf, defaultBatchSize, inParts } from "./crops.ts";
import { type ContractOptions, checkPorts, contractOf } from "./model-contract.ts";
import { mean } from "./probabilities.ts";
import { runCrops } from "./run-crops.ts";

/** The stages from a picture's bytes to the network's input, each replaceable by another implementation that is to be tried. */
export interface Stages {
  readonly decode: (file: Uint8Array, name: string) => Image | Promise<Image>;
  readonly resize: (image: Image, size: Size, filter: Filter) => Image;
  readonly view: (image: Image, view: View, spec: PreprocessSpec) => Image;
  readonly normalize: (image: Image, spec: PreprocessSpec, out: Float32Array, offset: number) => void;
}

export const STAGES: Omit<Stages, "decode"> = { resize, view: viewImage, normalize: normalizeInto };

/** What one picture became on its way, and the model's answer. */
export interface Trace {
  readonly pixels: string;
  readonly views: readonly GoldenView[];
  /** The mean over the views. */
  readonly probabilities: Float32Array;
}

/** A model that shows every stage of its way to an answer. */
export interface Replayer {
  /** The views that it averages over. */
  readonly views: string;
  replay(image: Image): Promise<Trace>;
  /** The means alone, of all pictures' views in as few batches as a classifier makes; where a graph takes whole pictures there is none. */
  replayTogether?(images: readonly Image[]): Promise<Float32Array[]>;
  dispose(): Promise<void>;
}

export interface ReplayOptions extends ContractOptions {
  readonly createSession: SessionMaker;
  readonly stages?: Omit<Stages, "decode">;
  readonly name?: string;
}

/** FNV-1a, 32 bits, of a shape and bytes, in hexadecimal. @see https://datatracker.ietf.org/doc/html/draft-eastlake-fnv */
export function checksum(shape: readonly number[], bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  const add = (byte: number) => {
    hash = Math.imul(hash ^ byte, 0x01000193);
  };
  for (const character of `${shape};`) add(character.charCodeAt(0));
  for (const byte of bytes) add(byte);
  return (hash >>> 0).toString(16).padStart(8, "0");
}

export const checksumOf = ({ width, height, channels, data }: Image): string => checksum([height, width, channels], data);

/** @throws UsageError, FivecropError as createClassifier does */
export async function createReplayer(
  model: Uint8Array,
  { createSession, stages = STAGES, name = "the model", ...options }: ReplayOptions,
): Promise<Replayer> {
  const contract = contractOf(model, options, name);
  const { preprocess: spec, metadata, views } = contract;
  const session = await createSession(model, { name });
  if (metadata?.selfContained)
    return {
      views,
      dispose: () => session.dispose(),
      async replay(image) {
        const { width, height, channels, data } = withChannels(image, spec.channels);
        const feeds = { [SELF_CONTAINED.input]: tensor("uint8", [1, height, width, channels], data) };
        const { [SELF_CONTAINED.output]: output } = await session.run(feeds);
        return { pixels: checksumOf(image), views: [], probabilities: output.data as Float32Array };
      },
    };
  const ports = await checkPortsOrDispose();
  const chosen = parseViews(views);

  async function checkPortsOrDispose() {
    try {
      return checkPorts(session, contract, name);
    } catch (error) {
      await session.dispose();
      throw error;
    }
  }

  const run = (crops: Tensor<"float32">): Promise<Float64Array[]> => runCrops(session, crops, { contract, ports, name });

  async function replay(image: Image): Promise<Trace> {
    const source = withChannels(image, spec.channels);
    const lists: Float64Array[] = [];
    const traces: GoldenView[] = [];
    for (const view of chosen) {
      const resized = stages.resize(source, planView(image, view, spec).size, spec.filter);
      const seen = stages.view(image, view, spec);
      const input = new Float32Array(spec.channels * spec.crop[0] * spec.crop[1]);
      stages.normalize(seen, spec, input, 0);
      const normalized = checksum([spec.channels, ...spec.crop], new Uint8Array(input.buffer));
      traces.push({ resized: checksumOf(resized), view: checksumOf(seen), normalized });
      lists.push(...(await inParts(tensor("float32", [1, spec.channels, ...spec.crop], input), ports.fixedBatch ?? 1, run)));
    }
    return { pixels: checksumOf(image), views: traces, probabilities: Float32Array.from(mean(lists)) };
  }

  async function replayTogether(images: readonly Image[]): Promise<Float32Array[]> {
    const crops = batchOf(
      images.map((image) => cropsOf(image, chosen, spec)),
      spec,
    );
    const most = ports.fixedBatch ?? Math.min(crops.shape[0], defaultBatchSize(spec));
    const lists = await inParts(crops, most, run);
    return images.map(() => Float32Array.from(mean(lists.splice(0, chosen.length))));
  }

  return { views, replay, replayTogether, dispose: () => session.dispose() };
}
