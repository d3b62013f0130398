import { FivecropError } from "../core/errors.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { batches } from "../pipeline/batches.ts";
import type { Dataset } from "../pipeline/dataset.ts";
import type { PreprocessSpec } from "../pipeline/preprocess.ts";

/** A data set's first images, preprocessed: what an exported file is compared with the training engine on. */
export async function firstImages(dataset: Dataset, preprocess: PreprocessSpec, most: number): Promise<Tensor<"float32">> {
  const batchSize = Math.min(most, dataset.length);
  const plan = { batchSize, seed: 0, epoch: 0, shuffle: false, preprocess, augmentations: [], labelSmoothing: 0, firstBatch: 0 };
  for await (const { images } of batches(dataset, plan)) return tensor("float32", images.shape, images.data.slice());
  throw new FivecropError(`${dataset.name}: expected at least one image, found none`);
}
