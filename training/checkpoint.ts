import { FivecropError } from "../core/errors.ts";
import { readSafetensors, writeSafetensors } from "../export/safetensors.ts";
import type { TrainingState, Weights } from "./engine.ts";
import type { Progress } from "./progress.ts";

/** A run that can be gone on with, to the last bit: what the engine holds, and where the loop stands. */
export interface Checkpoint {
  readonly network: string;
  readonly optimizer: string;
  readonly training: TrainingState;
  readonly progress: Progress;
}

/** Where checkpoints are kept, by name. */
export interface CheckpointStore {
  /** Whole or not at all: after a crash the store has the checkpoint before or this one. */
  save(name: string, checkpoint: Checkpoint): Promise<void>;
  load(name: string): Promise<Checkpoint | undefined>;
}

/** Keeps checkpoints in memory, for as long as the program runs. */
export function memoryCheckpoints(): CheckpointStore {
  const kept = new Map<string, Checkpoint>();
  return {
    save: async (name, checkpoint) => {
      kept.set(name, checkpoint);
    },
    load: async (name) => kept.get(name),
  };
}

const FORMAT = "fivecrop checkpoint 1";
const ROLES = ["parameters", "slots", "state"] as const;

/** A checkpoint as one safetensors file: tensors `parameters/conv1.weight`, `slots/…`, `state/…`, and the rest as JSON in its metadata. */
export function writeCheckpoint({ network, optimizer, training, progress }: Checkpoint): Uint8Array {
  const { step, seed } = training;
  const tensors = ROLES.flatMap((role) => Object.entries(training[role]).map(([name, t]) => [`${role}/${name}`, t] as const));
  const about = { network, optimizer, step, seed, progress };
  return writeSafetensors(Object.fromEntries(tensors), { format: FORMAT, checkpoint: JSON.stringify(about) });
}

/** @param name the file, for messages. @throws FivecropError where it is no checkpoint. */
export function readCheckpoint(bytes: Uint8Array, name: string): Checkpoint {
  let file: ReturnType<typeof readSafetensors>;
  try {
    file = readSafetensors(bytes);
  } catch (cause) {
    throw new FivecropError(`${name} is no checkpoint: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }
  const { format, checkpoint } = file.metadata;
  if (format !== FORMAT || checkpoint === undefined)
    throw new FivecropError(
      `${name} is no checkpoint of this version: expected the format '${FORMAT}', found ${format ? `'${format}'` : "none"}.`,
    );
  const { network, optimizer, step, seed, progress } = JSON.parse(checkpoint) as Omit<Checkpoint, "training"> & {
    step: number;
    seed: number;
  };
  const byRole = (role: string): Weights =>
    Object.fromEntries(
      Object.entries(file.tensors).flatMap(([key, t]) => (key.startsWith(`${role}/`) ? [[key.slice(role.length + 1), t]] : [])),
    ) as Weights;
  const [parameters, slots, state] = ROLES.map(byRole);
  return { network, optimizer, training: { step, seed, parameters, slots, state }, progress };
}
