import { describe, expect, test } from "vitest";
import { UsageError } from "../../core/errors.ts";
import { parseSchedule } from "../../training/schedules.ts";

/** PyTorch's CosineAnnealingLR, OneCycleLR, StepLR and ExponentialLR over 20 steps at a base rate of 1. */
const PYTORCH: Readonly<Record<string, readonly number[]>> = {
  cosine: [
    1.0, 0.9938441703, 0.9755282581, 0.9455032621, 0.9045084972, 0.8535533906, 0.7938926261, 0.7269952499, 0.6545084972, 0.5782172325, 0.5,
    0.4217827675, 0.3454915028, 0.2730047501, 0.2061073739, 0.1464466094, 0.09549150281, 0.05449673791, 0.02447174185, 0.006155829702,
  ],
  "one-cycle": [
    0.04, 0.1316718427, 0.3716718427, 0.6683281573, 0.9083281573, 1.0, 0.9874640062, 0.950484632, 0.8909161776, 0.8117456539, 0.7169430018,
    0.6112620219, 0.500002, 0.3887419781, 0.2830609982, 0.1882583461, 0.1090878224, 0.04951936799, 0.01253999376, 4e-6,
  ],
  "step:4,0.5": [
    1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125, 0.0625, 0.0625, 0.0625, 0.0625,
  ],
  "exponential:0.9": [
    1.0, 0.9, 0.81, 0.729, 0.6561, 0.59049, 0.531441, 0.4782969, 0.43046721, 0.387420489, 0.3486784401, 0.3138105961, 0.2824295365,
    0.2541865828, 0.2287679245, 0.2058911321, 0.1853020189, 0.166771817, 0.1500946353, 0.1350851718,
  ],
};

/** Where all epochs have the same number of steps. */
const factorOf = (text: string) => (step: number, stepsPerEpoch: number, epochs: number) =>
  parseSchedule(text).factor({ step, epoch: Math.floor(step / stepsPerEpoch) }, { steps: stepsPerEpoch * epochs, epochs });

test.each([
  ["constant", "constant/step"],
  ["exponential:0.999/step", "exponential:0.999/step"],
  ["step", "step:10,0.1/epoch"],
  ["one-cycle:0.2+warmup:3/epoch", "one-cycle:0.2,25,10000/step+warmup:3/epoch"],
])("%s, written out", (text, complete) => {
  expect(parseSchedule(text).complete).toBe(complete);
  expect(parseSchedule(complete).complete).toBe(complete);
  for (const step of [0, 7, 59]) expect(factorOf(complete)(step, 20, 3)).toBe(factorOf(text)(step, 20, 3));
});

describe("schedules", () => {
  test.each(Object.entries(PYTORCH))("%s per step is PyTorch's", (text, expected) => {
    const factor = factorOf(`${text}/step`);
    expected.forEach((rate, step) => {
      expect(factor(step, 5, 4), `step ${step}`).toBeCloseTo(rate, 8);
    });
  });

  test.each(Object.entries(PYTORCH))("%s per epoch holds its value through the epoch", (text, expected) => {
    const factor = factorOf(`${text}/epoch`);
    for (const epoch of [0, 3, 19]) for (const batch of [0, 6]) expect(factor(epoch * 7 + batch, 7, 20)).toBeCloseTo(expected[epoch], 8);
  });

  test("constant, and what a schedule counts in where it does not say", () => {
    expect(factorOf("constant")(99, 10, 10)).toBe(1);
    expect(factorOf("exponential:0.5")(25, 10, 10)).toBe(0.25); // epochs
    expect(factorOf("cosine")(50, 10, 10)).toBeCloseTo(0.5, 12); // steps
  });

  test("warm-up rises linearly and multiplies", () => {
    const factor = factorOf("exponential:0.5/epoch+warmup:4/step");
    expect([0, 1, 2, 3, 4].map((step) => factor(step, 3, 9))).toEqual([0.25, 0.5, 0.75, 0.5, 0.5]);
    expect(factorOf("constant+warmup:2/epoch")(0, 3, 9)).toBe(0.5);
  });

  test.each([
    ["cosin", "unknown schedule 'cosin'. Did you mean 'cosine'?"],
    ["exponential:-1", "schedule 'exponential:-1': expected the form exponential:GAMMA"],
    ["step:4,0.5,9", "expected the form step:EVERY,GAMMA"],
    ["step:x", "expected the form step:EVERY,GAMMA"],
    ["cosine/day", "expected NAME[:NUMBER,…][/step or /epoch], received 'cosine/day'"],
    ["constant+warmup:0", "expected the form …+warmup:LENGTH"],
    ["constant+rise:4", "expected the form …+warmup:LENGTH"],
    ["constant+warmup:1+warmup:1", "expected at most one '+', received 2"],
  ])("%s is refused", (text, message) => {
    expect(() => parseSchedule(text)).toThrow(UsageError);
    expect(() => parseSchedule(text)).toThrow(message);
  });
});
