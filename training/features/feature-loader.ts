import { tensor } from "../../core/tensor.ts";
import { type Batch, type BatchPlan, batchCount, checkPlan, epochOrder, fillTargets } from "../../pipeline/batches.ts";
import type { Dataset } from "../../pipeline/dataset.ts";
import type { Loader } from "../../pipeline/loader.ts";

/**
 * A loader of features in place of images: each view of each image is one of its own, [n, width, 1, 1].
 * @param features [views · images, width], view after view
 */
export function featureLoader({ name, classNames, labels, length }: Dataset, features: Float32Array, width: number): Loader {
  const rows = features.length / width;
  async function* batches(plan: BatchPlan): AsyncGenerator<Batch, void, undefined> {
    checkPlan(plan, rows);
    const order = epochOrder(rows, plan);
    const classes = classNames.length;
    const memory = { images: new Float32Array(plan.batchSize * width), targets: new Float32Array(plan.batchSize * classes) };
    for (let batch = plan.firstBatch; batch < batchCount(rows, plan.batchSize); batch++) {
      const indices = order.slice(batch * plan.batchSize, (batch + 1) * plan.batchSize);
      const n = indices.length;
      const images = tensor("float32", [n, width, 1, 1], memory.images.subarray(0, n * width));
      const targets = tensor("float32", [n, classes], memory.targets.subarray(0, n * classes));
      indices.forEach((row, i) => {
        images.data.set(features.subarray(row * width, (row + 1) * width), i * width);
      });
      const chosen = Uint16Array.from(indices, (row) => labels[row % length]);
      fillTargets(targets, chosen, plan.labelSmoothing);
      yield { images, targets, labels: chosen, indices };
    }
  }
  return { name, classNames, length: rows, imageShape: [width, 1, 1], batches, dispose: async () => undefined };
}
