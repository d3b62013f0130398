import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { constant, dirac } from "../../models/layers/initializers.ts";
import { WHITENING_FILTERS } from "../../models/layers/patch-whitening.ts";
import { initialParameters } from "../../models/network.ts";

const spread = (values: Float32Array) => ({
  largest: values.reduce((a, b) => Math.max(a, Math.abs(b)), 0),
  deviation: Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length),
});

describe("first values", () => {
  test("fashion-cnn: PyTorch's default, uniform on ±1/√fan_in, weights and biases; norms 1 and 0", () => {
    const first = initialParameters(createNetwork("fashion-cnn"), 1);
    for (const [name, fanIn] of [
      ["conv2", 16 * 9],
      ["conv3", 32 * 25],
      ["fc", 576],
    ] as const) {
      const weight = spread(first[`${name}.weight`].data);
      expect(weight.largest).toBeLessThanOrEqual(1 / Math.sqrt(fanIn));
      expect(weight.deviation * Math.sqrt(3 * fanIn)).toBeCloseTo(1, 1);
      const bias = spread(first[`${name}.bias`].data);
      expect(bias.largest).toBeLessThanOrEqual(1 / Math.sqrt(fanIn));
      expect(bias.largest).toBeGreaterThan(0.5 / Math.sqrt(fanIn));
    }
    expect(new Set(first["bn1.weight"].data)).toEqual(new Set([1]));
    expect(new Set(first["bn1.bias"].data)).toEqual(new Set([0]));
  });

  test("minivgg: convolutions He normal by fan-out, linear weights N(0, 0.01), biases zero", () => {
    const first = initialParameters(createNetwork("minivgg"), 1);
    expect(spread(first["features.3.weight"].data).deviation / Math.sqrt(2 / (128 * 9))).toBeCloseTo(1, 1);
    expect(spread(first["classifier.0.weight"].data).deviation).toBeCloseTo(0.01, 3);
    for (const [name, { data }] of Object.entries(first)) if (name.endsWith("bias")) expect(spread(data).largest, name).toBe(0);
  });

  test("lenet-bn: weights Xavier uniform, biases PyTorch's default", () => {
    const first = initialParameters(createNetwork("lenet-bn"), 1);
    const bound = Math.sqrt(6 / (256 + 120));
    expect(spread(first["9.weight"].data).largest).toBeLessThanOrEqual(bound);
    expect(spread(first["9.weight"].data).largest).toBeGreaterThan(0.99 * bound);
    expect(spread(first["9.bias"].data).largest).toBeLessThanOrEqual(1 / Math.sqrt(256));
  });

  test("depend on the seed and the parameter's name alone", () => {
    const [a, b, c] = [1, 1, 2].map((seed) => initialParameters(createNetwork("minivgg"), seed));
    expect(a["features.3.weight"].data).toEqual(b["features.3.weight"].data);
    expect(a["features.3.weight"].data).not.toEqual(c["features.3.weight"].data);
    expect(initialParameters(createNetwork("minivgg-bn"), 1)["features.0.weight"].data).toEqual(a["features.0.weight"].data);
  });
});

test("dirac: the first filters pass their channel on, the others are drawn", () => {
  const weight = dirac(constant(7))([3, 2, 3, 3], random(0));
  expect([...weight.subarray(0, 18)]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, ...new Array(9).fill(0)]);
  expect([...weight.subarray(18, 36)]).toEqual([...new Array(9).fill(0), 0, 0, 0, 0, 1, 0, 0, 0, 0]);
  expect(new Set(weight.subarray(36))).toEqual(new Set([7]));
});

test.each([1, 3])("whitening filters of %i channels answer without correlation: their rows are orthogonal", (channels) => {
  const rows = WHITENING_FILTERS[channels];
  expect(rows.map((row) => row.length)).toEqual(rows.map(() => 4 * channels));
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  rows.forEach((a, i) => {
    for (const b of rows.slice(i + 1)) expect(Math.abs(dot(a, b)) / Math.sqrt(dot(a, a) * dot(b, b))).toBeLessThan(2e-3);
  });
});
