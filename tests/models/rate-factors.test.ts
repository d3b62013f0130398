import { expect, test } from "vitest";
import { createNetwork } from "../../models/architectures/index.ts";
import { freeze } from "../../models/freeze.ts";
import { batchNormWith, conv2d, flatten, globalMaxPool2d, linear, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";

const small = network(
  "small",
  sequential({ conv: conv2d(2, 3), norm: batchNormWith({ biasRate: 64 }), pool: globalMaxPool2d, flatten, fc: linear(3) }),
  { input: [1, 5, 5] },
);

test("a layer's own rate stands for its parameter alone, also at another size", () => {
  expect([...small.rateFactors!]).toEqual([["norm.bias", 64]]);
  expect([...small.atSize!([1, 7, 7]).rateFactors!]).toEqual([["norm.bias", 64]]);
  const shifts = [0, 1, 2].flatMap((block) => [1, 2].map((i) => `blocks.${block}.norm${i}.bias`));
  expect([...createNetwork("whitened-convnet").rateFactors!]).toEqual(shifts.map((name) => [name, 64]));
});

test("below a head both factors count, and frozen is frozen", () => {
  const slow = freeze(small, { freeze: "none", headLayers: 1, rateFactor: 1 / 64 });
  expect(Object.fromEntries(slow.rateFactors!)).toEqual({ "conv.weight": 1 / 64, "conv.bias": 1 / 64, "norm.weight": 1 / 64 });
  const fixed = freeze(small, { freeze: "backbone", headLayers: 1 });
  expect(new Set(fixed.rateFactors!.values())).toEqual(new Set([0]));
  expect([...fixed.rateFactors!.keys()]).toContain("norm.bias");
});
