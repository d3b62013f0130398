import { repeatedTo } from "./tfjs-elementwise.ts";
import type { Kernel, Tf, TfTensor } from "./tfjs-kernel.ts";

export const gemm: Kernel = {
  make: ({ tf, node }) => {
    const { alpha, beta, transA, transB } = node.attributes as { alpha: number; beta: number; transA: number; transB: number };
    const scaled = (x: TfTensor, factor: number): TfTensor => (factor === 1 ? x : tf.mul(x, factor));
    return ([a, b, c]) => {
      const product = scaled(tf.matMul(a, b, transA === 1, transB === 1), alpha);
      return c ? tf.add(product, scaled(c, beta)) : product;
    };
  },
};

/** Of a matrix and a stack of matrices, either way round, one product: tensorflow's gradient of a broadcast one has the wrong shape. */
export const matMul: Kernel = {
  make: ({ tf, shape, output }) => {
    const [a, b] = [shape(0), shape(1)];
    if (b.length === 2) return ([x, w]) => tf.reshape(tf.matMul(tf.reshape(x, [-1, b[0]]), w), [...output]);
    if (a.length === 2)
      return ([w, x]) =>
        swapped(
          tf,
          tf.reshape(tf.matMul(tf.reshape(swapped(tf, x), [-1, a[1]]), w, false, true), [
            ...output.slice(0, -2),
            output[output.length - 1],
            a[0],
          ]),
        );
    const stack = output.slice(0, -2);
    const whole = (x: TfTensor, own: readonly number[]): TfTensor => repeatedTo(tf, x, [...stack, ...own.slice(-2)]);
    return ([x, y]) => tf.matMul(whole(x, a), whole(y, b));
  },
};

/** The last two axes exchanged. */
function swapped(tf: Tf, x: TfTensor): TfTensor {
  const axes = x.shape.map((_, i) => i);
  return tf.transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]);
}
