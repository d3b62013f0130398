import { describe, expect, test } from "vitest";
import { type Arithmetic, createOptimizer, type OptimizerOptions } from "../../training/optimizers.ts";

/** Numbers themselves: an update rule written once runs on them as well. */
const numbers: Arithmetic<number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  sqrt: Math.sqrt,
};

/** Steps on L = p² / 2, whose gradient is p, from p = 1 at the rate 0.1. */
function descend(name: string, options: OptimizerOptions, steps: number): number {
  const optimizer = createOptimizer(name, options);
  let parameter = 1;
  let slots: readonly number[] = optimizer.slots.map(() => 0);
  for (let step = 1; step <= steps; step++)
    ({ parameter, slots } = optimizer.update(numbers, {
      parameter,
      gradient: parameter,
      slots,
      learningRate: 0.1,
      factors: optimizer.factorsAt(step),
    }));
  return parameter;
}

describe("update rules, by hand", () => {
  test.each<[string, OptimizerOptions, number, number]>([
    ["sgd", {}, 2, 0.81],
    ["sgd", { weightDecay: 0.5 }, 1, 1 - 0.1 * 1.5],
    ["sgd", { momentum: 0.5 }, 2, 0.9 - 0.1 * (0.5 + 0.9)],
    ["sgd", { momentum: 0.5, nesterov: true }, 1, 1 - 0.1 * 1.5],
    ["adam", {}, 1, 0.9], // the first step is the rate, whatever the gradient's size
    ["adam", { weightDecay: 3 }, 1, 0.9],
    ["adamw", { weightDecay: 0.5 }, 1, 1 - 0.1 * 0.5 - 0.1],
    ["adamw", {}, 1, 1 - 0.1 * 0.01 - 0.1],
  ])("%s %o", (name, options, steps, expected) => {
    expect(descend(name, options, steps)).toBeCloseTo(expected, 6);
  });

  test.each<[string, OptimizerOptions, string]>([
    ["adm", {}, "unknown optimizer 'adm'. Did you mean 'adam'? There are: sgd, adam, adamw."],
    ["sgd", { momentum: 1 }, "momentum: expected a number from 0 to below 1, received 1"],
    ["sgd", { nesterov: true }, "Nesterov's rule needs a momentum above 0"],
    ["sgd", { weightDecay: -1 }, "weight decay: expected a number of at least 0, received -1"],
    ["adam", { beta2: Number.NaN }, "beta2: expected a number from 0 to below 1, received NaN"],
  ])("%s %o is refused", (name, options, message) => {
    expect(() => createOptimizer(name, options)).toThrow(message);
  });
});
