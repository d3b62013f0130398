import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { writeWhole } from "../core/atomic-file.node.ts";
import { FivecropError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import type { Dataset } from "./dataset.ts";
import { fingerprintOf, THUMBNAIL } from "./fingerprint.ts";
import { createFingerprints, type Fingerprints, setFingerprint } from "./near-duplicates.ts";

/** Beside the decoded pictures; another name where what a fingerprint is changes. */
const FILE = "fingerprints-1";
/** Between two of them the program can be stopped, and says how far it is. */
const AT_ONCE = 64;

/** How far the comparing of pictures is. */
export interface FingerprintProgress {
  readonly kind: "comparing";
  readonly done: number;
  readonly total: number;
}

/**
 * The fingerprints of a data set's decoded pictures, computed once: they are kept beside these.
 * @returns undefined where `signal` stopped it.
 * @throws FivecropError where they cannot be read or written.
 */
export async function* fingerprintsOf(
  dataset: Dataset,
  signal?: AbortSignal,
): AsyncGenerator<FingerprintProgress, Fingerprints | undefined, undefined> {
  const { length, description } = dataset;
  const file = description?.packed === undefined || description.indices ? undefined : join(description.packed, FILE);
  const kept = file === undefined ? undefined : await readKept(file, length);
  if (kept) return kept;
  const all = createFingerprints(length);
  for (let done = 0; done < length; ) {
    if (signal?.aborted) return undefined;
    for (const end = Math.min(length, done + AT_ONCE); done < end; done++)
      setFingerprint(all, done, fingerprintOf(await dataset.image(done)));
    yield { kind: "comparing", done, total: length };
    await setImmediate(); // Ctrl-C is heard
  }
  if (file !== undefined) await writeWhole(file, Buffer.concat([new Uint8Array(all.hashes.buffer), all.thumbnails]));
  return all;
}

async function readKept(file: string, length: number): Promise<Fingerprints | undefined> {
  try {
    const bytes = await readFile(file);
    if (bytes.length !== length * (8 + THUMBNAIL)) return undefined;
    const { hashes, thumbnails } = createFingerprints(length);
    new Uint8Array(hashes.buffer).set(bytes.subarray(0, 8 * length));
    thumbnails.set(bytes.subarray(8 * length));
    return { length, hashes, thumbnails };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FivecropError(`${file}: cannot be read: ${fileReason(cause)}. To fix: delete its folder.`, { cause });
  }
}
