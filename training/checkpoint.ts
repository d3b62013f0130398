import { FivecropError, messageOf } from "../core/errors.ts";
import { sizeOf } from "../core/tensor.ts";
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from "../export/safetensors.ts";
import { ROLES, type TrainingState, type Weights } from "./engine.ts";
import type { Progress } from "./progress.ts";

/** A run that can be gone on with, to the last bit: what the engine holds, and where the loop stands. */
export interface Checkpoint {
  readonly network: string;
  readonly optimizer: string;
  /** How many images the run trains on, and how many at a time. */
  readonly images: number;
  readonly batchSize: number;
  /** How many it validates on; 0 where there are none. */
  readonly validationImages: number;
  /** The classes, in the order of the network's outputs. */
  readonly classNames: readonly string[];
  readonly training: TrainingState;
  readonly progress: Progress;
}

/** Where checkpoints are kept, by name. */
export interface CheckpointStore {
  /** Under each of these names, whole or not at all: after a crash the store has the checkpoint before or this one. */
  save(names: readonly string[], checkpoint: Checkpoint): Promise<void>;
  load(name: string): Promise<Checkpoint | undefined>;
}

/** Keeps checkpoints in memory, for as long as the program runs. */
export function memoryCheckpoints(): CheckpointStore {
  const kept = new Map<string, Checkpoint>();
  return {
    save: async (names, checkpoint) => {
      for (const name of names) kept.set(name, checkpoint);
    },
    load: async (name) => kept.get(name),
  };
}

const FORMAT = "fivecrop checkpoint 3";

/** A checkpoint as one safetensors file: tensors `parameters/conv1.weight`, `slots/…`, `state/…`, `average/…`, and the rest as JSON in its metadata. */
export function writeCheckpoint({ training, ...rest }: Checkpoint): Uint8Array {
  const { step, seed } = training;
  const tensors = ROLES.flatMap((role) => Object.entries(training[role] ?? {}).map(([name, t]) => [`${role}/${name}`, t] as const));
  const about: About = { ...rest, step, seed };
  return writeSafetensors(Object.fromEntries(tensors), { format: FORMAT, checkpoint: JSON.stringify(about) });
}

/** Whether a safetensors file is a run's checkpoint, by its metadata. */
export const isCheckpoint = ({ format }: Readonly<Record<string, string>>): boolean => format?.startsWith("fivecrop checkpoint") ?? false;

/** @param name the file, for messages. @throws FivecropError where it is no checkpoint. */
export function readCheckpoint(bytes: Uint8Array, name: string): Checkpoint {
  const { tensors, metadata } = asCheckpoint(name, () => readSafetensors(bytes));
  const { step, seed, ...rest } = aboutOf(metadata, name);
  const byRole = (role: string): Weights =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([key, t]) => (key.startsWith(`${role}/`) ? [[key.slice(role.length + 1), t]] : [])),
    ) as Weights;
  const [parameters, slots, state, average] = ROLES.map(byRole);
  const kept = Object.keys(average).length ? { average } : {};
  return { ...rest, training: { step, seed, parameters, slots, state, ...kept } };
}

/** A checkpoint but for its tensors: of those only how many parameters there are. */
export interface CheckpointSummary extends Omit<Checkpoint, "training"> {
  readonly parameters: number;
}

/** @param header of its safetensors file @param size the whole file's, in bytes @throws FivecropError where it is no checkpoint. */
export function readSummary(header: Uint8Array, size: number, name: string): CheckpointSummary {
  const { shapes, metadata } = asCheckpoint(name, () => readSafetensorsHeader(header, size));
  const { step: _, seed: __, ...rest } = aboutOf(metadata, name);
  const sizes = Object.entries(shapes).map(([key, shape]) => (key.startsWith("parameters/") ? sizeOf(shape) : 0));
  return { ...rest, parameters: sizes.reduce((sum, each) => sum + each, 0) };
}

function aboutOf(metadata: Readonly<Record<string, string>>, name: string): About {
  if (metadata.format !== FORMAT || metadata.checkpoint === undefined)
    throw new FivecropError(
      `${name} is no checkpoint of this version: expected the format '${FORMAT}', found ${metadata.format ? `'${metadata.format}'` : "none"}.`,
    );
  return parseAbout(metadata.checkpoint, name);
}

/** What a reader of safetensors says. @throws FivecropError that calls the file a checkpoint */
export function asCheckpoint<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new FivecropError(`${name} is no checkpoint: ${messageOf(cause)}`, { cause });
  }
}

type About = Omit<Checkpoint, "training"> & Pick<TrainingState, "step" | "seed">;

function parseAbout(text: string, name: string): About {
  let about: About;
  try {
    about = JSON.parse(text);
  } catch (cause) {
    throw new FivecropError(`${name}: the checkpoint's description is no JSON: ${messageOf(cause)}`, { cause });
  }
  const missing = ["network", "optimizer", "images", "batchSize", "validationImages", "classNames", "step", "seed", "progress"].find(
    (key) => !Object.hasOwn(about, key),
  );
  if (missing) throw new FivecropError(`${name}: the checkpoint's description lacks '${missing}'.`);
  return about;
}
