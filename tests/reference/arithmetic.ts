import type { DType } from "../../core/tensor.ts";
import { array64, broadcastOffsets, broadcastShape, type ReferenceFunction, required } from "./array.ts";

const binary =
  (f: (a: number, b: number, dtype: DType) => number | boolean, dtype?: DType): ReferenceFunction =>
  (inputs) => {
    const [a, b] = required(inputs, 2);
    const y = array64(broadcastShape(a.shape, b.shape), undefined, dtype ?? a.dtype);
    const fromA = broadcastOffsets(a.shape, y.shape);
    const fromB = broadcastOffsets(b.shape, y.shape);
    for (let i = 0; i < y.data.length; i++) y.data[i] = Number(f(a.data[fromA[i]], b.data[fromB[i]], a.dtype));
    return [y];
  };

const isFloat = (dtype: DType): boolean => dtype === "float32" || dtype === "float64";

export const Add = binary((a, b) => a + b);
export const Sub = binary((a, b) => a - b);
export const Mul = binary((a, b) => a * b);
/** Integers divide towards zero. */
export const Div = binary((a, b, dtype) => (isFloat(dtype) ? a / b : Math.trunc(a / b)));
export const Pow = binary((a, b) => a ** b);

/** Folds any number of inputs from the left. */
const variadic =
  (fold: ReferenceFunction): ReferenceFunction =>
  (inputs, attributes) => [required(inputs, inputs.length).reduce((sum, x) => fold([sum, x], attributes)[0])];

export const Max = variadic(binary((a, b) => Math.max(a, b)));
export const Min = variadic(binary((a, b) => Math.min(a, b)));
export const Sum = variadic(Add);
export const Greater = binary((a, b) => a > b, "bool");
export const GreaterOrEqual = binary((a, b) => a >= b, "bool");
export const Equal = binary((a, b) => a === b, "bool");

/** X where the condition is true, else Y; all three broadcast. */
export const Where: ReferenceFunction = (inputs) => {
  const [condition, x, y] = required(inputs, 3);
  const z = array64(broadcastShape(condition.shape, broadcastShape(x.shape, y.shape)), undefined, x.dtype);
  const [fromCondition, fromX, fromY] = [condition, x, y].map((each) => broadcastOffsets(each.shape, z.shape));
  for (let i = 0; i < z.data.length; i++) z.data[i] = condition.data[fromCondition[i]] ? x.data[fromX[i]] : y.data[fromY[i]];
  return [z];
};
