import type { Session, SessionMaker } from "../../core/session.ts";
import type { Tensor } from "../../core/tensor.ts";
import type { BatchPlan } from "../../pipeline/batches.ts";
import type { Loader } from "../../pipeline/loader.ts";

/** Views at once: more are no faster on a processor, and their activations leave its cache. */
export const FEATURE_BATCH = 8;

/** Consecutive images of a data set in one view. */
export interface ViewRange {
  /** View v of image i is image i of epoch v of the plan. */
  readonly view: number;
  /** A multiple of FEATURE_BATCH. */
  readonly first: number;
  readonly length: number;
}

/** Consecutive images of a data set in one view, and where their features go. */
export interface BackboneRun extends Pick<ViewRange, "view" | "first"> {
  readonly session: Session;
  readonly loader: Loader;
  readonly plan: Pick<BatchPlan, "seed" | "preprocess" | "augmentations">;
  /** [images, width], row by row; its length says how many images there are. */
  readonly target: Float32Array;
  readonly width: number;
}

/** Computes features batch after batch: a loader with a thread prepares the next ones while the session runs. @returns how many images each batch had */
export async function* runBackbone(run: BackboneRun): AsyncGenerator<number, void, undefined> {
  const { session, loader, plan, view, first, target, width } = run;
  const [input, output] = [session.inputs[0].name, session.outputs[0].name];
  const firstBatch = first / FEATURE_BATCH;
  let at = 0;
  for await (const { images } of loader.batches({
    ...plan,
    batchSize: FEATURE_BATCH,
    epoch: view,
    shuffle: false,
    labelSmoothing: 0,
    firstBatch,
  })) {
    const { [output]: found } = await session.run({ [input]: images });
    target.set(found.data as Float32Array, at);
    at += images.shape[0] * width;
    yield images.shape[0];
    if (at === target.length) return;
  }
}

/** The features of these images as an engine takes them, [N, width, 1, 1]. */
export async function featuresOf(
  backbone: Uint8Array,
  width: number,
  images: Tensor<"float32">,
  createSession: SessionMaker,
): Promise<Tensor<"float32">> {
  const session = await createSession(backbone, { name: "the backbone" });
  try {
    const { [session.outputs[0].name]: found } = await session.run({ [session.inputs[0].name]: images });
    return { ...(found as Tensor<"float32">), shape: [images.shape[0], width, 1, 1] };
  } finally {
    await session.dispose();
  }
}
