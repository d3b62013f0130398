import { sizeOf } from "../../core/tensor.ts";
import { array64, frontAxis, number, offsets, type ReferenceFunction, required, stridesOf } from "./array.ts";

/**
 * Folds `step` over the reduced axes from `first`; `last` sees how many elements went into each result.
 * No axes means all of them, but with noop_with_empty_axes none: then every element is folded alone (a sum of squares still squares).
 */
const reduction =
  (
    first: number,
    step: (sum: number, x: number) => number,
    last: (sum: number, count: number) => number = (sum) => sum,
  ): ReferenceFunction =>
  (inputs, attributes) => {
    const [x] = required(inputs, 1);
    const rank = x.shape.length;
    const given = Array.from(inputs[1]?.data ?? [], (axis) => frontAxis(axis, rank));
    const all = given.length === 0 && number(attributes, "noop_with_empty_axes", 0) === 0;
    const reduced = (axis: number) => all || given.includes(axis);
    const kept = x.shape.map((size, axis) => (reduced(axis) ? 1 : size));
    const strides = stridesOf(kept).map((stride, axis) => (reduced(axis) ? 0 : stride));
    const sums = new Float64Array(sizeOf(kept)).fill(first);
    offsets(x.shape, strides).forEach((to, i) => {
      sums[to] = step(sums[to], x.data[i]);
    });
    const shape = number(attributes, "keepdims", 1) ? kept : x.shape.filter((_, axis) => !reduced(axis));
    const count = x.data.length / sums.length;
    return [
      array64(
        shape,
        sums.map((sum) => last(sum, count)),
        x.dtype,
      ),
    ];
  };

export const ReduceSum = reduction(0, (sum, x) => sum + x);
export const ReduceMean = reduction(
  0,
  (sum, x) => sum + x,
  (sum, count) => sum / count,
);
export const ReduceSumSquare = reduction(0, (sum, x) => sum + x * x);
export const ReduceL2 = reduction(0, (sum, x) => sum + x * x, Math.sqrt);
export const ReduceProd = reduction(1, (product, x) => product * x);
export const ReduceMax = reduction(Number.NEGATIVE_INFINITY, Math.max);

/** Sums of all elements up to each one; `exclusive` leaves that one out, `reverse` sums from behind. */
export const CumSum: ReferenceFunction = (inputs, attributes) => {
  const [x, axisInput] = required(inputs, 2);
  const axis = frontAxis(axisInput.data[0], x.shape.length);
  const reverse = number(attributes, "reverse", 0) !== 0;
  const exclusive = number(attributes, "exclusive", 0) !== 0;
  const y = array64(x.shape, undefined, x.dtype);
  const stride = stridesOf(x.shape)[axis];
  const size = x.shape[axis];
  for (const [at] of x.data.entries()) {
    const position = Math.floor(at / stride) % size;
    for (let other = 0; other < size; other++) {
      const counts = (reverse ? other > position : other < position) || (!exclusive && other === position);
      if (counts) y.data[at] += x.data[at + (other - position) * stride];
    }
  }
  return [y];
};
