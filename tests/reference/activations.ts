import type { Attributes } from "../../models/graph/graph.ts";
import { broadcastOffsets, like, number, type ReferenceFunction, required } from "./array.ts";

const unary =
  (f: (x: number, attributes: Attributes) => number): ReferenceFunction =>
  (inputs, attributes) => {
    const [x] = required(inputs, 1);
    return [like(x, (i) => f(x.data[i], attributes))];
  };

/**
 * 2 / √π · ∫₀ˣ e^(−t²) dt by its series 2 / √π · e^(−x²) · Σ 2ⁿ x^(2n + 1) / (2n + 1)!!, whose terms are all of one sign.
 * @see Abramowitz and Stegun, 7.1.6
 */
function errorFunction(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x); // 1 − erf(6) < 3e-17
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const clamp = (x: number): number => Math.max(0, Math.min(1, x));

export const Erf = unary(errorFunction);
export const LeakyRelu = unary((x, attributes) => (x < 0 ? number(attributes, "alpha", 0.01) * x : x));
export const Elu = unary((x, attributes) => (x < 0 ? number(attributes, "alpha", 1) * (Math.exp(x) - 1) : x));
export const Softplus = unary((x) => Math.log(Math.exp(x) + 1));
export const HardSigmoid = unary((x, attributes) => clamp(number(attributes, "alpha", 0.2) * x + number(attributes, "beta", 0.5)));
export const HardSwish = unary((x) => x * clamp(x / 6 + 0.5));
export const Gelu = unary((x, { approximate }) =>
  approximate === "tanh"
    ? 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
    : 0.5 * x * (1 + errorFunction(x / Math.sqrt(2))),
);

/** The slope broadcasts to x. */
export const PRelu: ReferenceFunction = (inputs) => {
  const [x, slope] = required(inputs, 2);
  const from = broadcastOffsets(slope.shape, x.shape);
  return [like(x, (i) => (x.data[i] < 0 ? slope.data[from[i]] * x.data[i] : x.data[i]))];
};
