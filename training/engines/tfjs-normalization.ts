import { imagesFrom } from "./tfjs-images.ts";
import type { Kernel, Tf, TfTensor } from "./tfjs-kernel.ts";

type Image = Parameters<Tf["localResponseNormalization"]>[0];

/** (x − mean) / √(variance + ε) over axes. */
function standardize(tf: Tf, x: TfTensor, axes: number[], epsilon: number): TfTensor {
  const centered = tf.sub(x, tf.mean(x, axes, true));
  const variance = tf.mean(tf.square(centered), axes, true);
  return tf.mul(centered, tf.rsqrt(tf.add(variance, epsilon)));
}

export const layerNormalization: Kernel = {
  make: ({ tf, node, shape, axis }) => {
    const { axis: first, epsilon } = node.attributes as { axis: number; epsilon: number };
    const axes = shape(0)
      .map((_, i) => i)
      .slice(axis(first));
    return ([x, scale, bias]) => {
      const y = tf.mul(standardize(tf, x, axes, epsilon), scale);
      return bias ? tf.add(y, bias) : y;
    };
  },
};

export const instanceNormalization: Kernel = imagesFrom(
  ({ tf, node }) => {
    const epsilon = node.attributes.epsilon as number;
    return ([x, scale, bias]) => tf.add(tf.mul(standardize(tf, x, [1, 2], epsilon), scale), bias);
  },
  { merge: true },
);

/** tensorflow's alpha is of one channel, ONNX's of the whole window. */
export const localResponseNormalization: Kernel = imagesFrom(
  ({ tf, node }) => {
    const { alpha, beta, bias, size } = node.attributes as { alpha: number; beta: number; bias: number; size: number };
    return ([x]) => tf.localResponseNormalization(x as Image, (size - 1) / 2, bias, alpha / size, beta);
  },
  { merge: true },
);
