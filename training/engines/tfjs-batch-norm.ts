import { imagesFrom } from "./tfjs-images.ts";
import type { Kernel, Tf, TfTensor } from "./tfjs-kernel.ts";

/** All axes of [N, H, W, C] but C. */
const PIXELS = [0, 1, 2];

/**
 * y = (x − μ) / √(σ² + ε) · γ + β with the batch's own moments, and its gradient in one formula, where tensorflow would write each step of it to memory:
 * with x̂ = (x − μ) / √(σ² + ε) and M numbers a channel, dx = γ / √(σ² + ε) · (dy − Σ dy / M − x̂ · Σ dy x̂ / M), dγ = Σ dy x̂, dβ = Σ dy.
 */
function normalize(
  tf: Tf,
  epsilon: number,
  observe: (mean: TfTensor, variance: TfTensor) => void,
): (x: TfTensor, scale: TfTensor, bias: TfTensor) => TfTensor {
  return tf.customGrad((...given) => {
    const [x, scale, bias, save] = given as [TfTensor, TfTensor, TfTensor, (tensors: TfTensor[]) => void];
    const mean = tf.mean(x, PIXELS);
    const variance = tf.mean(tf.squaredDifference(x, mean), PIXELS);
    observe(tf.keep(mean), tf.keep(variance));
    save([x, scale, mean, variance]);
    const value = tf.batchNorm(x as never, mean as never, variance as never, bias as never, scale as never, epsilon);
    const gradFunc = (dy: TfTensor, [x, scale, mean, variance]: TfTensor[]) => {
      const count = x.size / scale.size;
      const inverse = tf.rsqrt(tf.add(variance, epsilon));
      const dbias = tf.sum(dy, PIXELS);
      const dscale = tf.mul(tf.sum(tf.mul(dy, tf.sub(x, mean)), PIXELS), inverse);
      const rate = tf.mul(scale, inverse);
      const towards = tf.mul(rate, tf.div(dscale, -count)); // of x̂
      const offset = tf.mul(rate, tf.div(dbias, -count));
      const rest = tf.batchNorm(x as never, mean as never, variance as never, offset as never, towards as never, epsilon);
      return [tf.add(tf.mul(dy, rate), rest), dscale, dbias];
    };
    return { value, gradFunc };
  });
}

export const batchNormalization: Kernel = imagesFrom(
  (site) => {
    const { tf, node, training } = site;
    const epsilon = node.attributes.epsilon as number;
    if (!training)
      return ([x, scale, bias, mean, variance]) =>
        tf.batchNorm(x as never, mean as never, variance as never, bias as never, scale as never, epsilon);
    return ([x, scale, bias], step) => normalize(tf, epsilon, (mean, variance) => step!.observe(node, mean, variance))(x, scale, bias);
  },
  { merge: true },
);
