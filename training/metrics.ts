import type { Tensor } from "../core/tensor.ts";

/** The index of the largest logit in a row, the first of equal ones. */
function argMax(data: Float32Array, from: number, width: number): number {
  let best = 0;
  for (let k = 1; k < width; k++) if (data[from + k] > data[from + best]) best = k;
  return best;
}

/** Rows whose largest logit is their label's. */
export function countCorrect({ data, shape: [, width] }: Tensor<"float32">, labels: ArrayLike<number>): number {
  let correct = 0;
  for (let i = 0; i < labels.length; i++) if (argMax(data, i * width, width) === labels[i]) correct++;
  return correct;
}

/** Σ over rows of −ln softmax(logits)[label], in float64. */
export function crossEntropy({ data, shape: [, width] }: Tensor<"float32">, labels: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < labels.length; i++) {
    const row = data.subarray(i * width, (i + 1) * width);
    const largest = Math.max(...row);
    const total = row.reduce((all, value) => all + Math.exp(value - largest), 0);
    sum += largest + Math.log(total) - row[labels[i]];
  }
  return sum;
}
