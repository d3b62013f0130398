// What the threads that decode pictures and their owner say to each other.
import type { ResizeSpec } from "./preprocess.ts";

export interface PackData {
  readonly spec: ResizeSpec;
  /** Shared: see COUNTERS. */
  readonly counters: SharedArrayBuffer;
}

/** Places of 32-bit numbers that the threads share with their owner: pictures that are done, those of them decoded now, and whether to stop. */
export const COUNTERS = { done: 0, decoded: 1, stop: 2 } as const;

export interface PackQuestion {
  readonly files: readonly string[];
  readonly target: string;
}

/** What a file of pixels holds: width and height of each picture, 0, 0 where it cannot be read, and why. */
export interface PackedChunk {
  readonly sizes: readonly number[];
  /** By the picture's place. */
  readonly errors: Readonly<Record<number, string>>;
}
