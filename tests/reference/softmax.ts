import { sizeOf } from "../../core/tensor.ts";
import { array64, frontAxis, number, type ReferenceFunction, required } from "./array.ts";

/** Applies a function of vectors to every vector along `axis`. */
const alongAxis =
  (f: (x: readonly number[]) => readonly number[]): ReferenceFunction =>
  (inputs, attributes) => {
    const [x] = required(inputs, 1);
    const axis = frontAxis(number(attributes, "axis", -1), x.shape.length);
    const size = x.shape[axis];
    const stride = sizeOf(x.shape.slice(axis + 1));
    const y = array64(x.shape, undefined, x.dtype);
    for (let outer = 0; outer < sizeOf(x.shape.slice(0, axis)); outer++)
      for (let inner = 0; inner < stride; inner++) {
        const at = (i: number) => (outer * size + i) * stride + inner;
        f(Array.from({ length: size }, (_, i) => x.data[at(i)])).forEach((value, i) => {
          y.data[at(i)] = value;
        });
      }
    return [y];
  };

const logSoftmax = (x: readonly number[]): readonly number[] => {
  const largest = Math.max(...x);
  const logSum = largest + Math.log(x.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  return x.map((value) => value - logSum);
};

export const LogSoftmax = alongAxis(logSoftmax);
export const Softmax = alongAxis((x) => logSoftmax(x).map(Math.exp));
