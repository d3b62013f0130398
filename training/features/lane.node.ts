import { createSession } from "../../core/session.node.ts";
import type { BatchPlan } from "../../pipeline/batches.ts";
import type { Dataset } from "../../pipeline/dataset.ts";
import { hereLoader } from "../../pipeline/loader.ts";
import { runBackbone, type ViewRange } from "./run-backbone.ts";

/** Places of 32-bit numbers that lanes share with their owner: views that are computed, and whether to stop. */
export const COUNTERS = { computed: 0, stop: 1 } as const;
export const createCounters = (): Int32Array<SharedArrayBuffer> =>
  new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT * Object.keys(COUNTERS).length));

export interface LaneOptions {
  readonly backbone: Uint8Array;
  readonly width: number;
  /** Of the session. */
  readonly threads: number;
  readonly plan: Pick<BatchPlan, "seed" | "preprocess" | "augmentations">;
  readonly counters: Int32Array<SharedArrayBuffer>;
}

/** Computes features where it is called, or in a thread. */
export interface Lane {
  /** @returns [images, width]; undefined where it was told to stop. */
  compute(range: ViewRange): Promise<Float32Array<ArrayBuffer> | undefined>;
  dispose(): Promise<void>;
}

/** A lane of this thread. @throws FivecropError where the backbone cannot be loaded */
export async function openLane(dataset: Dataset, { backbone, width, threads, plan, counters }: LaneOptions): Promise<Lane> {
  const session = await createSession(backbone, { name: "the backbone", threads, spin: false }); // spinning would starve the other lanes
  const loader = hereLoader(dataset);
  return {
    async compute(range) {
      const target = new Float32Array(range.length * width);
      for await (const count of runBackbone({ session, loader, plan, width, target, ...range })) {
        if (Atomics.load(counters, COUNTERS.stop)) return undefined;
        Atomics.add(counters, COUNTERS.computed, count);
      }
      return target;
    },
    dispose: () => session.dispose(),
  };
}
