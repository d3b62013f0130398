import { dirname, relative, sep } from "node:path";
import { setImmediate } from "node:timers/promises";
import { FivecropError } from "../core/errors.ts";
import type { Dataset } from "../pipeline/dataset.ts";
import { datasetEntry } from "../pipeline/datasets/index.ts";
import { type FingerprintProgress, fingerprintsOf } from "../pipeline/fingerprints.node.ts";
import { createNearSearch, type Fingerprints, type NearPair, pickFingerprints } from "../pipeline/near-duplicates.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";
import type { NearDuplicate, NearDuplicates } from "./near-duplicates.ts";
import type { RunConfig } from "./run-config.ts";
import { type OpenedSplit, openSplit, type PrepareEvent, type RunParts, type RunPartsOptions } from "./run-parts.node.ts";

/** Pairs that are kept of all that were found. */
const MOST_KEPT = 10;

export type ComparingEvent = FingerprintProgress | ({ readonly kind: "near-duplicates" } & NearDuplicates);

/** A part of the data, as it is compared. */
interface Part {
  readonly split: string;
  readonly dataset: Dataset;
  readonly fingerprints: Fingerprints;
  readonly file: (index: number) => string;
}

export interface FindOptions extends RunPartsOptions {
  /** How test pictures are decoded: as the validation's. */
  readonly preprocess: PreprocessSpec;
  /** Whether the run will be measured on its test split. */
  readonly withTest: boolean;
}

/**
 * Pictures of a run's validation and test splits that look like one that it trains on, or of the test split like one that it validates on: the numbers
 * that are measured on them flatter the network. Nothing is removed.
 * @returns undefined where the data are not picture files, or `signal` stopped it.
 */
export async function* findNearDuplicates(
  config: RunConfig,
  { training, validation, pictures }: RunParts,
  options: FindOptions,
): AsyncGenerator<PrepareEvent | ComparingEvent, NearDuplicates | undefined, undefined> {
  if (!pictures) return undefined;
  const parts: Part[] = [];
  const sources = [
    ["training", training, pictures.training],
    ["validation", validation, pictures.validation],
  ] as const;
  for (const [split, dataset, source] of sources) {
    const part = yield* partOf(split, dataset, source, options.signal);
    if (!part) return undefined;
    parts.push(part);
  }
  if (options.withTest && Object.hasOwn((await datasetEntry(config.data)).splits, "test")) {
    const test = yield* openTest(config, options);
    const part = test && (yield* partOf("test", test.dataset, test, options.signal));
    if (part) parts.push(part);
  }
  if (options.signal?.aborted) return undefined;
  const found = yield* compare(parts, options.signal);
  if (!found) return undefined;
  if (found.count > 0) yield { kind: "near-duplicates", ...found };
  return found;
}

/** The test pictures, decoded. What of them cannot be read is said where they are measured on; with `strict` it is an error here, before anything is trained. */
async function* openTest(config: RunConfig, options: FindOptions): AsyncGenerator<PrepareEvent, OpenedSplit | undefined, undefined> {
  try {
    const opening = openSplit(config.data, "test", options.preprocess, options);
    let step = await opening.next();
    for (; !step.done; step = await opening.next()) if (step.value.kind === "decoding") yield step.value;
    return step.value;
  } catch (error) {
    if (options.strict || !(error instanceof FivecropError)) throw error;
    yield { kind: "note", split: "test", note: `not searched for near-duplicates of the pictures that are trained on: ${error.message}` };
    return undefined;
  }
}

async function* partOf(
  split: string,
  dataset: Dataset,
  { dataset: whole, files }: OpenedSplit,
  signal: AbortSignal | undefined,
): AsyncGenerator<FingerprintProgress, Part | undefined, undefined> {
  const fingerprints = yield* fingerprintsOf(whole, signal);
  if (!fingerprints || !files) return undefined;
  const indices = dataset.description?.indices;
  return indices
    ? { split, dataset, fingerprints: pickFingerprints(fingerprints, indices), file: (index) => files[indices[index]] }
    : { split, dataset, fingerprints, file: (index) => files[index] };
}

/** Pictures that are compared between two looks at the signal. */
const AT_ONCE = 64;

async function* compare(
  parts: readonly Part[],
  signal: AbortSignal | undefined,
): AsyncGenerator<FingerprintProgress, NearDuplicates | undefined, undefined> {
  const folder = commonFolder(parts);
  const all: NearDuplicate[] = [];
  for (const [k, part] of parts.entries()) {
    const nearest = new Map<number, NearDuplicate>();
    for (const other of parts.slice(0, k)) {
      const search = createNearSearch(other.fingerprints);
      for (let index = 0; index < part.dataset.length; index++) {
        if (index % AT_ONCE === 0) {
          yield { kind: "comparing", done: index, total: part.dataset.length };
          await setImmediate(); // Ctrl-C is heard
          if (signal?.aborted) return undefined;
        }
        const pair = search(part.fingerprints, index);
        if (!pair) continue;
        const found = await describe(part, other, pair, folder);
        const before = nearest.get(index);
        if (!before || found.difference < before.difference) nearest.set(index, found);
      }
    }
    all.push(...nearest.values());
  }
  all.sort((a, b) => Number(b.samePixels) - Number(a.samePixels) || a.difference - b.difference);
  return {
    folder,
    compared: Object.fromEntries(parts.map(({ split, dataset }) => [split, dataset.length])),
    count: all.length,
    samePixels: all.filter(({ samePixels }) => samePixels).length,
    pairs: all.slice(0, MOST_KEPT),
  };
}

async function describe(part: Part, other: Part, { index, twin, distance, difference }: NearPair, folder: string): Promise<NearDuplicate> {
  const nameIn = ({ file }: Part, i: number): string => relative(folder, file(i)).split(sep).join("/");
  return {
    split: part.split,
    file: nameIn(part, index),
    twinSplit: other.split,
    twin: nameIn(other, twin),
    samePixels: difference === 0 && (await haveSamePixels(part, index, other, twin)),
    sameClass: part.dataset.labels[index] === other.dataset.labels[twin],
    distance,
    difference,
  };
}

async function haveSamePixels({ dataset: a }: Part, i: number, { dataset: b }: Part, j: number): Promise<boolean> {
  const [one, two] = [await a.image(i), await b.image(j)];
  return one.width === two.width && one.height === two.height && Buffer.compare(one.data, two.data) === 0;
}

/** The innermost folder that all pictures are in. */
function commonFolder(parts: readonly Part[]): string {
  let folder = dirname(parts[0].file(0));
  for (const { dataset, file } of parts)
    for (let i = 0; i < dataset.length; i++)
      while (!file(i).startsWith(folder.endsWith(sep) ? folder : folder + sep)) folder = dirname(folder);
  return folder;
}
