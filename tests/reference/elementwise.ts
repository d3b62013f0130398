import { like, number, type ReferenceFunction, required } from "./array.ts";

const unary =
  (f: (x: number) => number): ReferenceFunction =>
  (inputs) => {
    const [x] = required(inputs, 1);
    return [like(x, (i) => f(x.data[i]))];
  };

export const Identity = unary((x) => x);
export const Neg = unary((x) => -x);
export const Abs = unary(Math.abs);
export const Reciprocal = unary((x) => 1 / x);
export const Floor = unary(Math.floor);
export const Ceil = unary(Math.ceil);
export const Exp = unary(Math.exp);
export const Log = unary(Math.log);
export const Sqrt = unary(Math.sqrt);
export const Relu = unary((x) => Math.max(x, 0));
export const Sigmoid = unary((x) => 1 / (1 + Math.exp(-x)));
export const Tanh = unary(Math.tanh);
/** At inference nothing is dropped. */
export const Dropout = unary((x) => x);

/** Min(max, Max(input, min)), each bound optional. */
export const Clip: ReferenceFunction = (inputs) => {
  const [x] = required(inputs, 1);
  const low = inputs[1]?.data[0] ?? Number.NEGATIVE_INFINITY;
  const high = inputs[2]?.data[0] ?? Number.POSITIVE_INFINITY;
  return [like(x, (i) => Math.min(high, Math.max(x.data[i], low)))];
};

const fromOutput =
  (f: (y: number, dy: number) => number): ReferenceFunction =>
  (inputs) => {
    const [y, dy] = required(inputs, 2);
    return [like(y, (i) => f(y.data[i], dy.data[i]))];
  };

export const ReluGradient = fromOutput((y, dy) => (y > 0 ? dy : 0));
export const SigmoidGradient = fromOutput((y, dy) => dy * y * (1 - y));

/** TensorProto.DataType's numbers. Fractions are cut towards zero; any number but 0 is true. */
export const Cast: ReferenceFunction = (inputs, attributes) => {
  const [x] = required(inputs, 1);
  switch (number(attributes, "to", 0)) {
    case 1:
      return [like(x, (i) => x.data[i], "float32")];
    case 2:
      return [like(x, (i) => Math.trunc(x.data[i]) & 255, "uint8")];
    case 6:
      return [like(x, (i) => Math.trunc(x.data[i]) | 0, "int32")];
    case 7:
      return [like(x, (i) => Math.trunc(x.data[i]), "int64")];
    case 9:
      return [like(x, (i) => (x.data[i] === 0 ? 0 : 1), "bool")];
    case 11:
      return [like(x, (i) => x.data[i], "float64")];
    default:
      throw new Error(`reference: Cast to data type ${attributes.to}`);
  }
};
