import { numbersOf, type Tensor } from "../../core/tensor.ts";
import { array64, number, type ReferenceFunction, required } from "./array.ts";

/** Sizes of the axes start … end, both counted from behind where negative, and clamped. */
export const Shape: ReferenceFunction = (inputs, attributes) => {
  const [{ shape }] = required(inputs, 1);
  const sizes = shape.slice(number(attributes, "start", 0), number(attributes, "end", shape.length));
  return [array64([sizes.length], sizes, "int64")];
};

export const ConstantOfShape: ReferenceFunction = (inputs, attributes) => {
  const [shape] = required(inputs, 1);
  const value = attributes.value as Tensor | undefined;
  const y = array64(Array.from(shape.data), undefined, value?.dtype ?? "float32");
  y.data.fill(value ? numbersOf(value)[0] : 0);
  return [y];
};

/** max(ceil((limit − start) / delta), 0) numbers. */
export const Range: ReferenceFunction = (inputs) => {
  const [start, limit, delta] = required(inputs, 3);
  const numbers: number[] = [];
  for (let i = 0; i < (limit.data[0] - start.data[0]) / delta.data[0]; i++) numbers.push(start.data[0] + i * delta.data[0]);
  return [array64([numbers.length], numbers, start.dtype)];
};
