import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createNetwork } from "../../models/architectures/index.ts";
import { parameterCount } from "../../models/network.ts";
import { adam, adamw, type Optimizer, sgd } from "../../training/optimizers.ts";
import { firstTen, type Golden, goldenBatch, goldenEngine, goldenParameters, l2, readGolden, type Sampled } from "./golden.ts";

const OPTIMIZERS: Readonly<Record<string, { readonly optimizer: Optimizer; readonly learningRate: number }>> = {
  sgd: { optimizer: sgd(), learningRate: 0.01 },
  sgd_momentum_decay: { optimizer: sgd({ momentum: 0.9, weightDecay: 1e-4 }), learningRate: 0.01 },
  sgd_nesterov: { optimizer: sgd({ momentum: 0.9, nesterov: true }), learningRate: 0.01 },
  adam: { optimizer: adam(), learningRate: 1e-3 },
  adamw: { optimizer: adamw({ weightDecay: 0.01 }), learningRate: 1e-3 },
};

const networks = readdirSync(new URL("../golden/", import.meta.url)).flatMap((file) =>
  file.endsWith(".json") ? [file.replace(".json", "")] : [],
);

function expectLogits(actual: readonly number[], expected: readonly (readonly number[])[], tolerance: number): void {
  const flat = expected.flat();
  const largest = Math.max(...flat.map(Math.abs));
  const worst = Math.max(...flat.map((value, i) => Math.abs(value - actual[i])));
  expect(worst / largest).toBeLessThan(tolerance);
}

function expectSampled(name: string, actual: Float32Array, expected: Sampled): void {
  const size = l2(actual);
  if (expected.l2 < 1e-9) {
    expect(size, `${name}: a gradient that is zero but for rounding`).toBeLessThan(2e-5);
    return;
  }
  expect(Math.abs(size - expected.l2) / expected.l2, `${name}: L2 norm`).toBeLessThan(1e-4);
  const rms = expected.l2 / Math.sqrt(actual.length);
  expected.at.forEach((at, i) => {
    expect(Math.abs(actual[at] - expected.values[i]) / rms, `${name}[${at}]`).toBeLessThan(1e-3);
  });
}

/** One step of plain gradient descent at rate 1: what the parameter lost is its gradient. */
async function gradientsOf(golden: Golden) {
  const engine = await goldenEngine(golden, sgd());
  const before = goldenParameters(golden, createNetwork(golden.net));
  const zeroed = Object.fromEntries(Object.entries(before).map(([name, t]) => [name, t.data.slice()]));
  const [{ loss, logits }] = await engine.train([goldenBatch(golden)], [GRADIENT_SCALE]);
  const { parameters } = await engine.state();
  await engine.dispose();
  const gradients = Object.fromEntries(
    Object.entries(parameters).map(([name, { data }]) => [name, data.map((value, i) => (zeroed[name][i] - value) / GRADIENT_SCALE)]),
  );
  return { loss, logits, gradients };
}

/** A large rate, so that the first value's own digits do not drown the gradient's: (p − p′) / rate keeps 2⁻²⁴ · p / rate. */
const GRADIENT_SCALE = 2 ** 20;

describe.each(networks)("golden %s", (name) => {
  const golden = readGolden(name);

  it("has the published number of parameters, by PyTorch's names", () => {
    const network = createNetwork(name);
    expect(parameterCount(network)).toBe(golden.parameter_count);
    expect([...network.parameters.keys()].map((value) => [value.name, value.shape])).toEqual(golden.parameters);
  });

  it("gives PyTorch's logits, loss and gradients", async () => {
    const engine = await goldenEngine(golden, sgd());
    expectLogits(firstTen(await engine.predict(goldenBatch(golden).images)), golden.eval_logits, 2e-5);
    await engine.dispose();
    const { loss, logits, gradients } = await gradientsOf(golden);
    expect(Math.abs(loss - golden.loss) / golden.loss).toBeLessThan(1e-5);
    expectLogits(firstTen(logits), golden.train_logits, 2e-5);
    for (const [parameter, expected] of Object.entries(golden.gradients)) expectSampled(parameter, gradients[parameter], expected);
  });

  it.each(Object.keys(golden.training))("trains with %s as PyTorch does", async (recipe) => {
    const { optimizer, learningRate } = OPTIMIZERS[recipe];
    const expected = golden.training[recipe];
    const engine = await goldenEngine(golden, optimizer);
    const losses: number[] = [];
    for (const _ of expected.losses) losses.push((await engine.train([goldenBatch(golden)], [learningRate]))[0].loss);
    const { state } = await engine.state();
    await engine.dispose();
    losses.forEach((loss, i) => {
      expect(Math.abs(loss - expected.losses[i]) / expected.losses[0], `loss of step ${i + 1}`).toBeLessThan(1e-4);
    });
    for (const [statistic, sampled] of Object.entries(expected.running_statistics_after)) {
      // with Adam a bias whose gradient is only rounding walks freely, and moves the mean
      if (recipe.startsWith("adam") && statistic.endsWith("running_mean")) continue;
      expect(Math.abs(l2(state[statistic].data) - sampled.l2) / sampled.l2, statistic).toBeLessThan(1e-4);
    }
  });
});
