import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeWhole } from "../core/atomic-file.node.ts";
import { FivecropError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import { type CheckpointStore, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";

/** The name of a checkpoint's file. */
export const checkpointFile = (name: string): string => `${name}.safetensors`;

/** Checkpoints as files, DIRECTORY/NAME.safetensors, each replaced in one move. */
export function fileCheckpoints(directory: string): CheckpointStore {
  const fileOf = (name: string): string => join(directory, checkpointFile(name));
  return {
    save: (name, checkpoint) => writeWhole(fileOf(name), writeCheckpoint(checkpoint)),
    async load(name) {
      const file = fileOf(name);
      let bytes: Uint8Array;
      try {
        bytes = await readFile(file);
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw new FivecropError(`cannot read the checkpoint ${file}: ${fileReason(cause)}. To fix: name a run whose files can be read.`, {
          cause,
        });
      }
      return readCheckpoint(bytes, file);
    },
  };
}
