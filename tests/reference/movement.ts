import { sizeOf } from "../../core/tensor.ts";
import {
  type Array64,
  array64,
  broadcastOffsets,
  broadcastShape,
  frontAxis,
  number,
  numbers,
  offsets,
  pick,
  type ReferenceFunction,
  required,
  stridesOf,
} from "./array.ts";

const reshaped = (x: Array64, shape: readonly number[]): Array64 => array64(shape, x.data, x.dtype);

/** (d0 · … · d(axis−1), d(axis) · … · dn); axis = 0 gives one row. */
export const Flatten: ReferenceFunction = (inputs, attributes) => {
  const [x] = required(inputs, 1);
  const axis = frontAxis(number(attributes, "axis", 1), x.shape.length);
  return [reshaped(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))])];
};

/** 0 copies the input's size (with allowzero it is a size of 0), −1 is inferred from what remains. */
export const Reshape: ReferenceFunction = (inputs, attributes) => {
  const [x, target] = required(inputs, 2);
  const allowZero = number(attributes, "allowzero", 0) !== 0;
  const shape = Array.from(target.data, (size, i) => (size === 0 && !allowZero ? x.shape[i] : size));
  const others = sizeOf(shape.filter((size) => size !== -1));
  return [
    reshaped(
      x,
      shape.map((size) => (size === -1 ? x.data.length / others : size)),
    ),
  ];
};

/** Output axis i is input axis perm[i]; by default the axes are reversed. */
export const Transpose: ReferenceFunction = (inputs, attributes) => {
  const [x] = required(inputs, 1);
  const perm = numbers(
    attributes,
    "perm",
    x.shape.map((_, i) => x.shape.length - 1 - i),
  );
  const shape = perm.map((axis) => x.shape[axis]);
  const strides = stridesOf(x.shape);
  return [
    pick(
      x,
      shape,
      offsets(
        shape,
        perm.map((axis) => strides[axis]),
      ),
    ),
  ];
};

/** Broadcasting to a shape; where that shape holds a 1, the input's size stays. */
export const Expand: ReferenceFunction = (inputs) => {
  const [x, target] = required(inputs, 2);
  const shape = broadcastShape(x.shape, Array.from(target.data));
  return [pick(x, shape, broadcastOffsets(x.shape, shape))];
};

export const Concat: ReferenceFunction = (inputs, attributes) => {
  const all = required(inputs, inputs.length);
  const axis = frontAxis(number(attributes, "axis", 0), all[0].shape.length);
  const length = all.reduce((sum, x) => sum + x.shape[axis], 0);
  const y = array64(
    all[0].shape.map((size, i) => (i === axis ? length : size)),
    undefined,
    all[0].dtype,
  );
  const strides = stridesOf(y.shape);
  let from = 0;
  for (const x of all) {
    const to = offsets(x.shape, strides, from * strides[axis]);
    for (let i = 0; i < to.length; i++) y.data[to[i]] = x.data[i];
    from += x.shape[axis];
  }
  return [y];
};

/** start:end:step along each named axis, negative ends counted from behind, all clamped to the axis. */
export const Slice: ReferenceFunction = (inputs) => {
  const [x, starts, ends] = required(inputs, 3);
  const shape = [...x.shape];
  const strides = stridesOf(x.shape);
  let origin = 0;
  for (let i = 0; i < starts.data.length; i++) {
    const axis = frontAxis(inputs[3]?.data[i] ?? i, x.shape.length);
    const size = x.shape[axis];
    const step = inputs[4]?.data[i] ?? 1;
    const fromFront = (position: number) => (position < 0 ? position + size : position);
    let position = Math.max(0, Math.min(fromFront(starts.data[i]), step > 0 ? size : size - 1));
    const end = Math.max(step > 0 ? 0 : -1, Math.min(fromFront(ends.data[i]), step > 0 ? size : size - 1));
    const first = position;
    let count = 0;
    for (; step > 0 ? position < end : position > end; position += step) count++;
    origin += first * strides[axis];
    shape[axis] = count;
    strides[axis] *= step;
  }
  return [pick(x, shape, offsets(shape, strides, origin))];
};

/** pads = [before axis 0, …, behind axis 0, …]; a negative number takes away. */
export const Pad: ReferenceFunction = (inputs) => {
  const [x, pads] = required(inputs, 2);
  const rank = x.shape.length;
  const shape = x.shape.map((size, i) => size + pads.data[i] + pads.data[i + rank]);
  const y = array64(shape, undefined, x.dtype);
  const strides = stridesOf(x.shape);
  for (const [at] of y.data.entries()) {
    let rest = at;
    let from = 0;
    let inside = true;
    for (let axis = rank - 1; axis >= 0; axis--) {
      const position = (rest % shape[axis]) - pads.data[axis];
      rest = Math.floor(rest / shape[axis]);
      inside &&= position >= 0 && position < x.shape[axis];
      from += position * strides[axis];
    }
    y.data[at] = inside ? x.data[from] : (inputs[2]?.data[0] ?? 0);
  }
  return [y];
};

/** output[i…, k…, j…] = data[i…, indices[k…], j…]; a negative index counts from behind. */
export const Gather: ReferenceFunction = (inputs, attributes) => {
  const [x, indices] = required(inputs, 2);
  const axis = frontAxis(number(attributes, "axis", 0), x.shape.length);
  const before = x.shape.slice(0, axis);
  const behind = x.shape.slice(axis + 1);
  const entry = sizeOf(behind);
  const y = array64([...before, ...indices.shape, ...behind], undefined, x.dtype);
  let at = 0;
  for (let outer = 0; outer < sizeOf(before); outer++)
    for (const index of indices.data) {
      const from = (outer * x.shape[axis] + frontAxis(index, x.shape[axis])) * entry;
      for (let i = 0; i < entry; i++) y.data[at++] = x.data[from + i];
    }
  return [y];
};
