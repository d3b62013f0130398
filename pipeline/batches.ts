import { checkWhole } from "../core/check.ts";
import { UsageError } from "../core/errors.ts";
import { random } from "../core/random.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { createAugmenter } from "./augmentations/augmenter.ts";
import type { AugmentationSpec } from "./augmentations/index.ts";
import { checkAugmentations } from "./augmentations/spec.ts";
import type { Dataset } from "./dataset.ts";
import type { Image } from "./image.ts";
import type { PreprocessSpec } from "./preprocess.ts";

/** What one step needs. Its arrays are lent: they are valid until the next batch is asked for. */
export interface Batch {
  /** [n, C, H, W] */
  readonly images: Tensor<"float32">;
  /** [n, classes]: a row of probabilities each */
  readonly targets: Tensor<"float32">;
  /** The class of each image; of a mixed one, that of its larger share. */
  readonly labels: Uint16Array;
  /** The place of each image in the data set. */
  readonly indices: Uint32Array;
}

/** One epoch's batches, as plain JSON. With the data set it determines them to the last bit. */
export interface BatchPlan {
  /** Images in a batch; the last batch of an epoch may be smaller. */
  readonly batchSize: number;
  readonly seed: number;
  readonly epoch: number;
  /** In the order random(seed).fork("order", epoch).permutation(length), else in the data set's own. */
  readonly shuffle: boolean;
  readonly preprocess: PreprocessSpec;
  /**
   * Image i of the data set gets the noise random(seed).fork("augment", epoch, i), whatever batch it is in, and the turn
   * epoch + random(seed).fork("turn", i).integer(2). What mixes the images of batch b gets
   * random(seed).fork("mix", epoch, b).
   */
  readonly augmentations: readonly AugmentationSpec[];
  /** s: a target is (1 − s) · one-hot + s / classes. */
  readonly labelSmoothing: number;
  /** The batches before this one are left out: where an epoch is resumed. */
  readonly firstBatch: number;
}

export const batchCount = (length: number, batchSize: number): number => Math.ceil(length / batchSize);

/** @throws UsageError where a plan's number is out of range for so many images. */
export function checkPlan({ batchSize, labelSmoothing, firstBatch, augmentations }: BatchPlan, length: number): void {
  checkAugmentations(augmentations);
  checkWhole("batch size", batchSize, 1);
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw new UsageError(`label smoothing: expected a number from 0 up to, but not including, 1, received ${labelSmoothing}`);
  const count = batchCount(length, batchSize);
  if (!(Number.isInteger(firstBatch) && firstBatch >= 0 && firstBatch <= count))
    throw new UsageError(`first batch: expected a whole number from 0 to ${count} (the batches of an epoch), received ${firstBatch}`);
}

/** The data set's indices in the order of the plan's epoch. */
export const epochOrder = (length: number, { seed, epoch, shuffle }: BatchPlan): Uint32Array =>
  shuffle ? random(seed).fork("order", epoch).permutation(length) : Uint32Array.from({ length }, (_, i) => i);

/** Images of batch `batch`: batchSize, or what is left. */
const rowsOf = (length: number, { batchSize }: BatchPlan, batch: number): number => Math.min(batchSize, length - batch * batchSize);

/** Bytes that hold any batch of the plan. */
export const batchBytes = ({ batchSize, preprocess }: BatchPlan, classes: number): number =>
  batchSize * (4 * preprocess.channels * preprocess.crop[0] * preprocess.crop[1] + 4 * classes + 4 + 2);

/** A batch of n images over these bytes: images, targets, indices, labels, one after the other. */
export function layOutBatch(memory: ArrayBuffer, n: number, { preprocess }: BatchPlan, classes: number): Batch {
  const shape = [n, preprocess.channels, ...preprocess.crop];
  const size = shape.reduce((a, b) => a * b);
  return {
    images: tensor("float32", shape, new Float32Array(memory, 0, size)),
    targets: tensor("float32", [n, classes], new Float32Array(memory, 4 * size, n * classes)),
    indices: new Uint32Array(memory, 4 * (size + n * classes), n),
    labels: new Uint16Array(memory, 4 * (size + n * classes + n), n),
  };
}

/** Reads, augments and preprocesses batch `batch` of the epoch into memory. Images that come as promises are waited for together. */
export async function fillBatch(dataset: Dataset, plan: BatchPlan, order: Uint32Array, batch: number, memory: ArrayBuffer): Promise<Batch> {
  const { preprocess, augmentations, labelSmoothing, seed, epoch } = plan;
  const classes = dataset.classNames.length;
  const n = rowsOf(order.length, plan, batch);
  const result = layOutBatch(memory, n, plan, classes);
  const { images, targets, labels, indices } = result;
  const size = images.data.length / n;
  indices.set(order.subarray(batch * plan.batchSize, batch * plan.batchSize + n));
  const noise = random(seed);
  const augmenter = createAugmenter(augmentations, preprocess);
  const put = (image: Image, i: number): void => {
    const turn = epoch + noise.fork("turn", indices[i]).integer(2);
    augmenter.input(image, noise.fork("augment", epoch, indices[i]), images.data, i * size, turn);
  };
  const late: Promise<void>[] = [];
  let settled: readonly PromiseSettledResult<void>[] = [];
  try {
    for (let i = 0; i < n; i++) {
      const image = dataset.image(indices[i]);
      if ("then" in image) late.push(image.then((arrived) => put(arrived, i)));
      else put(image, i);
      labels[i] = dataset.labels[indices[i]];
    }
  } finally {
    settled = await Promise.allSettled(late); // nothing writes here after a failure
  }
  const failed = settled.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  fillTargets(targets, labels, labelSmoothing);
  augmenter.mix(result, noise.fork("mix", epoch, batch));
  return result;
}

/** Smoothed one-hot rows: (1 − s) · one-hot + s / classes. */
export function fillTargets({ data, shape: [, classes] }: Tensor<"float32">, labels: Uint16Array, smoothing: number): void {
  data.fill(smoothing / classes);
  for (let i = 0; i < labels.length; i++) data[i * classes + labels[i]] = 1 - smoothing + smoothing / classes;
}

/** The plan's batches, made one at a time in this thread when they are asked for, all in the same memory. */
export async function* batches(dataset: Dataset, plan: BatchPlan): AsyncGenerator<Batch, void, undefined> {
  checkPlan(plan, dataset.length);
  const order = epochOrder(dataset.length, plan);
  const memory = new ArrayBuffer(batchBytes(plan, dataset.classNames.length));
  const count = batchCount(dataset.length, plan.batchSize);
  for (let batch = plan.firstBatch; batch < count; batch++) yield await fillBatch(dataset, plan, order, batch, memory);
}
