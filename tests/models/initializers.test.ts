import { describe, expect, test } from "vitest";
import { createNetwork } from "../../models/architectures/index.ts";
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
