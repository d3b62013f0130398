import type { Random } from "../../core/random.ts";
import { sizeOf } from "../../core/tensor.ts";

/** Draws the first values of a parameter of this shape, into an array of their own: training writes over it. */
export type Initializer = (shape: readonly number[], random: Random) => Float32Array;

/** Inputs and outputs that each weight connects: shape [out, in, …kernel]. */
function fans(shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } {
  const window = sizeOf(shape.slice(2));
  return { fanIn: shape[1] * window, fanOut: shape[0] * window };
}

/** One value everywhere. */
export const constant =
  (value: number): Initializer =>
  (shape) =>
    new Float32Array(sizeOf(shape)).fill(value);

/** Uniform on ±bound. */
export const uniform =
  (bound: number): Initializer =>
  (shape, random) => {
    const values = random.uniforms(sizeOf(shape));
    for (let i = 0; i < values.length; i++) values[i] = (2 * values[i] - 1) * bound;
    return values;
  };

/** Normal with mean 0 and this standard deviation. */
export const normal =
  (deviation: number): Initializer =>
  (shape, random) =>
    random.normals(sizeOf(shape), deviation);

/** PyTorch's default for weights: uniform on ±1/√fan_in (kaiming_uniform with a = √5). Biases there take the same bound, from their weight's fan_in. */
export const uniformFanIn: Initializer = (shape, random) => uniform(1 / Math.sqrt(fans(shape).fanIn))(shape, random);

/** Normal with variance 2 / fan_in. @see He et al., "Delving deep into rectifiers", 2015 */
export const heNormalFanIn: Initializer = (shape, random) => normal(Math.sqrt(2 / fans(shape).fanIn))(shape, random);

/** Normal with variance 2 / fan_out. @see He et al., "Delving deep into rectifiers", 2015 */
export const heNormalFanOut: Initializer = (shape, random) => normal(Math.sqrt(2 / fans(shape).fanOut))(shape, random);

/** Uniform on ±√(6 / (fan_in + fan_out)). @see Glorot and Bengio, "Understanding the difficulty of training deep feedforward networks", 2010 */
export const xavierUniform: Initializer = (shape, random) => {
  const { fanIn, fanOut } = fans(shape);
  return uniform(Math.sqrt(6 / (fanIn + fanOut)))(shape, random);
};

/** Of a convolution that keeps the size: its first filters pass their channel on as it is, the others are drawn. @see PyTorch's nn.init.dirac_ */
export const dirac =
  (others: Initializer): Initializer =>
  (shape, random) => {
    const [filters, channels, ...kernel] = shape;
    const window = sizeOf(kernel);
    const values = others(shape, random);
    for (let i = 0; i < Math.min(filters, channels); i++) {
      values.fill(0, i * channels * window, (i + 1) * channels * window);
      values[(i * channels + i) * window + Math.floor(window / 2)] = 1;
    }
    return values;
  };

/** Ways to draw the first weights of a network, by name. */
export const WEIGHT_INITIALIZERS = {
  pytorch: uniformFanIn,
  "he-normal-fan-in": heNormalFanIn,
  "he-normal-fan-out": heNormalFanOut,
  "xavier-uniform": xavierUniform,
} as const satisfies Readonly<Record<string, Initializer>>;

export type WeightInitializer = keyof typeof WEIGHT_INITIALIZERS;
