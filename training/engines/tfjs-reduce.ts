import type { Node } from "../../models/graph/graph.ts";
import type { Kernel, Layout, Placement, Run, Site, Tf, TfTensor } from "./tfjs-kernel.ts";

/** An image's reduced axes are found where they lie; without them, what is left of it lies as in the graph only if it keeps one axis order. */
function reducing(node: Node, follows: Layout): Placement {
  const layout = node.inputs[0]?.shape.length === 4 && node.attributes.keepdims === 1 ? follows : "standard";
  return { inputs: node.inputs.map((_, i) => (i === 0 ? layout : "standard")), output: layout };
}

/** The axes where they lie; all of them where none are given. */
function axesOf({ node, numbers, shape, axis }: Site): number[] {
  const given = numbers(1) ?? [];
  if (given.length) return given.map(axis);
  return node.attributes.noop_with_empty_axes ? [] : shape(0).map((_, i) => i);
}

/** @param reduce keeps reduced axes as 1 */
export const reduction = (reduce: (tf: Tf, x: TfTensor, axes: number[]) => TfTensor): Kernel => ({
  place: reducing,
  make: (site) => {
    const { tf, node, output } = site;
    const axes = axesOf(site);
    const shape = node.attributes.keepdims ? undefined : [...output];
    if (axes.length === 0) return ([x]) => (node.op === "ReduceSumSquare" ? tf.square(x) : x);
    return ([x]) => {
      const y = reduce(tf, x, axes);
      return shape ? tf.reshape(y, shape) : y;
    };
  },
});

/** The gradient goes to the first largest in row order, as ONNX Runtime's engine has it; tensorflow's goes to every tied place. */
export const reduceMax: Kernel = {
  make: (site) => {
    const { tf, shape, output } = site;
    const axes = axesOf(site);
    const size = shape(0);
    const rest = size.flatMap((_, i) => (axes.includes(i) ? [] : [i]));
    const length = axes.reduce((product, axis) => product * size[axis], 1);
    if (length === 1) return ([x]) => tf.reshape(x, [...output]);
    const order = [...rest, ...axes.toSorted((p, q) => p - q)];
    const largest = tf.customGrad((rows, save) => {
      (save as (tensors: TfTensor[]) => void)([tf.argMax(rows as TfTensor, 1)]);
      return {
        value: tf.max(rows as TfTensor, 1),
        gradFunc: (dy: TfTensor, [at]: TfTensor[]) => tf.mul(tf.oneHot(at, length), tf.expandDims(dy, 1)),
      };
    });
    return ([x]) => tf.reshape(largest(tf.reshape(tf.transpose(x, order), [-1, length])), [...output]);
  },
};

/** A function along the last axis, along any. */
const alongLast = (site: Site, axis: number, along: (x: TfTensor) => TfTensor): Run => {
  const { tf, shape } = site;
  const [at, last] = [site.axis(axis), shape(0).length - 1];
  if (at === last) return ([x]) => along(x);
  const exchanged = shape(0).map((_, i) => (i === at ? last : i === last ? at : i));
  return ([x]) => tf.transpose(along(tf.transpose(x, exchanged)), exchanged);
};

export const alongAxis = (along: (tf: Tf, x: TfTensor) => TfTensor): Kernel => ({
  make: (site) => alongLast(site, site.node.attributes.axis as number, (x) => along(site.tf, x)),
});

/** Along the last axis, since tensorflow's gradient along another one has its axes in the wrong order. */
export const cumSum: Kernel = {
  make: (site) => {
    const { exclusive, reverse } = site.node.attributes;
    return alongLast(site, site.numbers(1)![0], (x) => site.tf.cumsum(x, x.rank - 1, exclusive === 1, reverse === 1));
  },
};
