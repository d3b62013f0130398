import { type Tensor, tensor } from "../../core/tensor.ts";
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
    for (let batch = plan.firstBatch; batch < batchCount(rows, plan.batchSize); batch++) {
      const indices = order.slice(batch * plan.batchSize, (batch + 1) * plan.batchSize);
      const images = new Float32Array(indices.length * width);
      indices.forEach((row, i) => {
        images.set(features.subarray(row * width, (row + 1) * width), i * width);
      });
      const chosen = Uint16Array.from(indices, (row) => labels[row % length]);
      const targets: Tensor<"float32"> = tensor(
        "float32",
        [indices.length, classNames.length],
        new Float32Array(indices.length * classNames.length),
      );
      fillTargets(targets, chosen, plan.labelSmoothing);
      yield { images: tensor("float32", [indices.length, width, 1, 1], images), targets, labels: chosen, indices };
    }
  }
  return { name, classNames, length: rows, imageShape: [width, 1, 1], batches, dispose: async () => undefined };
}
