import { everywhere } from "./tfjs-elementwise.ts";
import type { Tf, TfTensor } from "./tfjs-kernel.ts";

/** Its derivative at 0 is 0; tensorflow's own is −1 there. */
export const abs = everywhere(({ tf }) => {
  const run = tf.customGrad((x, save) => {
    (save as (tensors: TfTensor[]) => void)([x as TfTensor]);
    return { value: tf.abs(x as TfTensor), gradFunc: (dy: TfTensor, [saved]: TfTensor[]) => tf.mul(dy, tf.sign(saved)) };
  });
  return ([x]) => run(x);
});

export const leakyRelu = everywhere(({ tf, node }) => {
  const alpha = node.attributes.alpha as number;
  return ([x]) => tf.leakyRelu(x, alpha);
});

export const prelu = everywhere(
  ({ tf }) =>
    ([x, slope]) =>
      tf.prelu(x, slope),
);

/** tensorflow knows alpha = 1 only: elsewhere what lies above 0 and what lies below are added. */
export const elu = everywhere(({ tf, node }) => {
  const alpha = node.attributes.alpha as number;
  if (alpha === 1) return ([x]) => tf.elu(x);
  return ([x]) => tf.add(tf.relu(x), tf.mul(tf.elu(tf.minimum(x, 0)), alpha));
});

/** The bounds come first, so that at a bound the gradient goes to it. */
const hardGate = (tf: Tf, x: TfTensor, alpha: number, beta: number): TfTensor =>
  tf.minimum(1, tf.maximum(0, tf.add(tf.mul(x, alpha), beta)));

export const hardSigmoid = everywhere(({ tf, node }) => {
  const { alpha, beta } = node.attributes as { alpha: number; beta: number };
  return ([x]) => hardGate(tf, x, alpha, beta);
});

export const hardSwish = everywhere(
  ({ tf }) =>
    ([x]) =>
      tf.mul(x, hardGate(tf, x, 1 / 6, 0.5)),
);

const CUBIC = 0.044715;
const SCALE = Math.sqrt(2 / Math.PI);

/** Φ(x) = (1 + erf(x / √2)) / 2, or (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2 where the node says so. */
export const gelu = everywhere(({ tf, node }) => {
  const inner = (x: TfTensor): TfTensor =>
    node.attributes.approximate === "tanh"
      ? tf.tanh(tf.mul(x, tf.add(tf.mul(tf.square(x), SCALE * CUBIC), SCALE)))
      : tf.erf(tf.mul(x, Math.SQRT1_2));
  return ([x]) => tf.mul(x, tf.mul(tf.add(inner(x), 1), 0.5));
});
