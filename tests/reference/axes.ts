import { array64, frontAxis, number, offsets, pick, type ReferenceFunction, required, stridesOf } from "./array.ts";

/** Without the named axes, or all of size 1. */
export const Squeeze: ReferenceFunction = (inputs) => {
  const [x] = required(inputs, 1);
  const named = inputs[1] && Array.from(inputs[1].data, (axis) => frontAxis(axis, x.shape.length));
  const goes = (size: number, axis: number) => (named ? named.includes(axis) : size === 1);
  return [
    array64(
      x.shape.filter((size, axis) => !goes(size, axis)),
      x.data,
      x.dtype,
    ),
  ];
};

/** Axes of size 1 at places of the output, from the first to the last. */
export const Unsqueeze: ReferenceFunction = (inputs) => {
  const [x, axes] = required(inputs, 2);
  const rank = x.shape.length + axes.data.length;
  const shape = [...x.shape];
  for (const axis of Array.from(axes.data, (each) => frontAxis(each, rank)).sort((a, b) => a - b)) shape.splice(axis, 0, 1);
  return [array64(shape, x.data, x.dtype)];
};

export const Split: ReferenceFunction = (inputs, attributes) => {
  const [x, lengths] = required(inputs, 2);
  const axis = frontAxis(number(attributes, "axis", 0), x.shape.length);
  const strides = stridesOf(x.shape);
  let from = 0;
  return Array.from(lengths.data, (length) => {
    const shape = x.shape.map((size, i) => (i === axis ? length : size));
    const part = pick(x, shape, offsets(shape, strides, from * strides[axis]));
    from += length;
    return part;
  });
};

/** Each output pixel takes the nearest input pixel, by the operator text's formulas. */
export const Resize: ReferenceFunction = (inputs, attributes) => {
  const [x] = required(inputs, 1);
  const scales = x.shape.map((size, i) => (inputs[2]?.data.length ? inputs[2].data[i] : inputs[3]!.data[i] / size));
  const shape = x.shape.map((size, i) => Math.floor(size * scales[i]));
  const mode = attributes.coordinate_transformation_mode ?? "half_pixel";
  const rounding = attributes.nearest_mode ?? "round_prefer_floor";
  const nearest = (i: number, axis: number) => {
    const whole = { half_pixel: (i + 0.5) / scales[axis] - 0.5, asymmetric: i / scales[axis] }[mode as "half_pixel" | "asymmetric"];
    const rounded = rounding === "floor" ? Math.floor(whole) : Math.ceil(whole - 0.5);
    return Math.min(Math.max(rounded, 0), x.shape[axis] - 1);
  };
  const strides = stridesOf(x.shape);
  const indices = Array.from(array64(shape).data, (_, at) => {
    let rest = at;
    let from = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += nearest(rest % shape[axis], axis) * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return from;
  });
  return [pick(x, shape, indices)];
};
