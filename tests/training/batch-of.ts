import { random } from "../../core/random.ts";
import { float32, zeros } from "../../core/tensor.ts";
import type { StepInput } from "../../training/engine.ts";

/** Images of normal noise with a random label each. */
export function batchOf(count: number, input: readonly number[], classes: number, seed = 1): StepInput {
  const { normal, integer } = random(seed);
  const size = input.reduce((a, b) => a * b, count);
  const targets = zeros("float32", [count, classes]);
  for (let i = 0; i < count; i++) targets.data[i * classes + integer(classes)] = 1;
  return { images: float32(Float32Array.from({ length: size }, normal), [count, ...input]), targets };
}
