import type { Node } from "../../models/graph/graph.ts";
import type { Kernel, Layout, Placement, Run, Site, Tf, TfTensor } from "./tfjs-kernel.ts";
import { relay } from "./tfjs-layout.ts";

/** What has four axes lies as its input does: whatever treats all axes alike, by broadcasting too. */
export function following(node: Node, follows: Layout): Placement {
  const layout = node.outputs[0].shape.length === 4 ? follows : "standard";
  return { inputs: node.inputs.map(() => layout), output: layout };
}

export const everywhere = (make: (site: Site) => Run): Kernel => ({ place: following, make });

type Unary = "ceil" | "erf" | "exp" | "floor" | "log" | "neg" | "reciprocal" | "sigmoid" | "softplus" | "sqrt" | "tanh";
export const unary = (name: Unary): Kernel =>
  everywhere(
    ({ tf }) =>
      ([x]) =>
        tf[name](x),
  );

type Comparison = "equal" | "greater" | "greaterEqual";
/** Its gradient is 0: tensorflow has none, and would refuse every network with a comparison on the way. */
export const comparison = (name: Comparison): Kernel =>
  everywhere(({ tf }) => {
    const run = tf.customGrad((a, b) => ({
      value: tf[name](a as TfTensor, b as TfTensor),
      gradFunc: () => [tf.zerosLike(a as TfTensor), tf.zerosLike(b as TfTensor)],
    }));
    return ([a, b]) => run(a, b);
  });

type Binary = "add" | "div" | "mul" | "pow" | "sub";
export const binary = (name: Binary): Kernel =>
  everywhere(({ tf, node, refuse }) => {
    if (name === "div" && node.outputs[0].dtype !== "float32") return refuse("TensorFlow.js rounds quotients of whole numbers down");
    return ([a, b]) => tf[name](a, b);
  });

export const sum = everywhere(
  ({ tf }) =>
    (inputs) =>
      inputs.reduce((a, b) => tf.add(a, b)),
);

/** Repeated to a shape, by a sum: tensorflow's gradient of a repetition ends at four axes. */
export function repeatedTo(tf: Tf, x: TfTensor, shape: number[]): TfTensor {
  if (String(x.shape) === String(shape)) return x;
  return x.dtype === "bool" ? tf.broadcastTo(x, shape) : tf.add(x, tf.zeros(shape, x.dtype));
}

const together = (tf: Tf, ...all: readonly TfTensor[]): number[] =>
  all.map(({ shape }) => [...shape]).reduce((a, b) => tf.broadcast_util.assertAndGetBroadcastShape(a, b));

/** Where several inputs have it the gradient goes to the first; all are repeated to one shape, since tensorflow's gradient does not undo broadcasting. */
export const extreme = (name: "maximum" | "minimum"): Kernel =>
  everywhere(
    ({ tf }) =>
      (inputs) =>
        inputs.reduce((a, b) => {
          const shape = together(tf, a, b);
          return tf[name](repeatedTo(tf, a, shape), repeatedTo(tf, b, shape));
        }),
  );

export const where = everywhere(({ tf }) => ([condition, x, y]) => {
  const shape = together(tf, condition, x, y);
  return tf.where(repeatedTo(tf, condition, shape), repeatedTo(tf, x, shape), repeatedTo(tf, y, shape));
});

export const identity = everywhere(
  () =>
    ([x]) =>
      x,
);

/** tensorflow's own gradient takes five passes over x to find where it is positive. */
const reluOf = (tf: Tf): ((x: TfTensor) => TfTensor) =>
  tf.customGrad((x, save) => {
    const y = tf.relu(x as TfTensor);
    (save as (tensors: TfTensor[]) => void)([y]);
    return { value: y, gradFunc: (dy: TfTensor, [saved]: TfTensor[]) => tf.mul(dy, tf.cast(tf.greater(saved, 0), "float32")) };
  });

export const relu = everywhere(({ tf }) => {
  const run = reluOf(tf);
  return ([x]) => run(x);
});

export const clip = everywhere(({ tf, numbers }) => {
  const bound = (input: number, none: number): number => numbers(input)?.[0] ?? none;
  const [low, high] = [bound(1, Number.NEGATIVE_INFINITY), bound(2, Number.POSITIVE_INFINITY)];
  return ([x]) => tf.clipByValue(x, low, high);
});

const TYPES: Readonly<Record<number, "float32" | "int32" | "bool">> = { 1: "float32", 6: "int32", 7: "int32", 9: "bool" };

export const cast = everywhere(({ tf, node, refuse }) => {
  const to = TYPES[node.attributes.to as number];
  if (!to) return refuse("TensorFlow.js has no such type");
  return ([x]) => tf.cast(x, to);
});

/** x · [u ≥ ratio] / (1 − ratio) in training. */
export const dropout = everywhere(({ tf, node, layout, numbers, shape, training }) => {
  const [ratio] = numbers(1) ?? [0.5];
  if (!training || ratio === 0) return ([x]) => x;
  const size = shape(0);
  const kept = 1 / (1 - ratio);
  return ([x], step) => {
    const mask = step!.noise(node, size).map((u) => (u >= ratio ? kept : 0));
    return tf.mul(x, relay(tf, tf.tensor(mask, [...size]), "standard", layout));
  };
});
