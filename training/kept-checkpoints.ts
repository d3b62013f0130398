import { type CheckpointStore, readCheckpoint, writeCheckpoint } from "./checkpoint.ts";

/** Bytes by name, kept by whatever a platform has for it; what was set is there whole or not at all. */
export interface KeptBytes {
  get(name: string): Promise<Uint8Array | undefined>;
  set(name: string, bytes: Uint8Array): Promise<void>;
}

/** Keeps checkpoints as the safetensors files that they are on a disk. */
export const keptCheckpoints = (kept: KeptBytes): CheckpointStore => ({
  async save(names, checkpoint) {
    const bytes = writeCheckpoint(checkpoint);
    for (const name of names) await kept.set(name, bytes);
  },
  load: async (name) => {
    const bytes = await kept.get(name);
    return bytes && readCheckpoint(bytes, `checkpoint '${name}'`);
  },
});
