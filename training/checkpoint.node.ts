import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import { FivecropError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import { headerLength } from "../export/safetensors.ts";
import { asCheckpoint, type CheckpointStore, type CheckpointSummary, readCheckpoint, readSummary, writeCheckpoint } from "./checkpoint.ts";

/** The name of a checkpoint's file. */
export const checkpointFile = (name: string): string => `${name}.safetensors`;

/** Checkpoints as files, DIRECTORY/NAME.safetensors, each replaced in one move. */
export function fileCheckpoints(directory: string): CheckpointStore {
  const fileOf = (name: string): string => join(directory, checkpointFile(name));
  return {
    async save(names, checkpoint) {
      const bytes = writeCheckpoint(checkpoint);
      for (const name of names) await writeWhole(fileOf(name), bytes);
    },
    async load(name) {
      const file = fileOf(name);
      let bytes: Uint8Array;
      try {
        bytes = await readFile(file);
      } catch (cause) {
        return absent(file, cause);
      }
      return readCheckpoint(bytes, file);
    },
  };
}

/** @returns undefined where the file is missing. @throws FivecropError where it cannot be read. */
function absent(file: string, cause: unknown): undefined {
  if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw new FivecropError(`cannot read the checkpoint ${file}: ${fileReason(cause)}. To fix: name a run whose files can be read.`, {
    cause,
  });
}

/** A checkpoint but for its tensors, which are not read. @returns undefined where there is none. @throws FivecropError where it is no checkpoint. */
export async function loadSummary(directory: string, name: string): Promise<CheckpointSummary | undefined> {
  const file = join(directory, checkpointFile(name));
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      const first = await handle.read(new Uint8Array(8), 0, 8, 0);
      const length = asCheckpoint(file, () => headerLength(first.buffer.subarray(0, first.bytesRead), size));
      const { buffer } = await handle.read(new Uint8Array(length), 0, length, 8);
      return readSummary(buffer, size, file);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof FivecropError) throw cause;
    return absent(file, cause);
  }
}
