import type { Random } from "../../core/random.ts";

/** Uniform on [low, high). */
export const between = (random: Random, low: number, high: number): number => low + (high - low) * random.uniform();

/**
 * The logarithm of a draw from Gamma(shape, 1): d·v with d = shape − 1/3 and v = (1 + z / √(9d))³, z normal, by rejection; for a shape below 1
 * a draw of shape + 1 times U^(1 / shape). Its logarithm, since small shapes leave float64's range.
 * @see Marsaglia and Tsang, "A simple method for generating gamma variables", 2000
 */
export function logGamma(random: Random, shape: number): number {
  if (shape < 1) return logGamma(random, shape + 1) + Math.log(1 - random.uniform()) / shape;
  const d = shape - 1 / 3;
  for (;;) {
    const z = random.normal();
    const root = 1 + z / Math.sqrt(9 * d);
    if (root <= 0) continue;
    const v = root ** 3;
    if (Math.log(1 - random.uniform()) < z ** 2 / 2 + d * (1 - v + Math.log(v))) return Math.log(d * v);
  }
}

/** From Beta(a, b), in [0, 1]: x / (x + y) of x from Gamma(a) and y from Gamma(b). */
export const beta = (random: Random, a: number, b: number): number => 1 / (1 + Math.exp(-logGamma(random, a) + logGamma(random, b)));
