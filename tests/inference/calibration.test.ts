import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { createSession } from "../../core/session.node.ts";
import { appendMetadata, readMetadata } from "../../export/metadata.ts";
import { selfContained } from "../../export/self-contained.ts";
import { adopt } from "../../inference/adopt.ts";
import {
  createReliability,
  fitTemperature,
  logarithms,
  lossAt,
  RELIABILITY_BINS,
  temper,
  type UntemperedAnswer,
  wilsonInterval,
} from "../../inference/calibration.ts";
import { createClassifier } from "../../inference/classifier.ts";
import { makeSelfContained, withGoldenSamples, withTemperature } from "../../inference/golden-samples.node.ts";
import { softmax } from "../../inference/probabilities.ts";
import { verifySamples } from "../../inference/verify-samples.ts";
import { decodeImage } from "../../pipeline/decode.node.ts";
import type { Image } from "../../pipeline/image.ts";
import { HERE, model, picture, withMetadata } from "./models.ts";

/** Labels that are drawn from what the logits say, and the logits made `factor` times as large. */
function answersOf(count: number, classes: number, views: number, factor: number): UntemperedAnswer[] {
  const source = random(7);
  return Array.from({ length: count }, () => {
    const logits = Array.from({ length: classes }, () => 2 * source.normal());
    const point = source.uniform();
    let [label, sum] = [-1, 0];
    for (const p of softmax(logits)) {
      if (sum <= point) label++;
      sum += p;
    }
    return { label, views: Array.from({ length: views }, () => logarithms(softmax(logits.map((x) => factor * x)))) };
  });
}

describe("the expected calibration error", () => {
  test("by hand", () => {
    const { add, result } = createReliability();
    for (const [confidence, isRight] of [
      [0.95, true],
      [1, false],
      [0.98, true],
      [0.4, false],
      [0.35, true],
    ] as const)
      add(confidence, isRight);
    const { expectedCalibrationError, bins } = result();
    expect(bins).toHaveLength(RELIABILITY_BINS);
    expect(bins[14]).toEqual({ images: 3, confidence: expect.closeTo(2.93 / 3, 12), accuracy: 2 / 3 });
    expect(bins[5]).toEqual({ images: 2, confidence: expect.closeTo(0.375, 12), accuracy: 0.5 });
    expect(bins[0]).toEqual({ images: 0, confidence: undefined, accuracy: undefined });
    expect(expectedCalibrationError).toBeCloseTo((3 / 5) * (2.93 / 3 - 2 / 3) + (2 / 5) * (0.5 - 0.375), 12);
  });

  test("a bin holds its upper end, as in the paper", () => {
    const { add, result } = createReliability();
    for (let k = 1; k <= RELIABILITY_BINS; k++) add(k / RELIABILITY_BINS, true);
    expect(result().bins.map(({ images }) => images)).toEqual(Array(RELIABILITY_BINS).fill(1));
  });
});

test.each([
  [0.9, 10, 0.5958, 0.9821],
  [0, 10, 0, 0.2775],
  [1, 10, 0.7225, 1],
  [0.5, 100, 0.4038, 0.5962],
])("Wilson's interval of %d in %d images", (share, n, low, high) => {
  const interval = wilsonInterval(share, n);
  expect(interval[0]).toBeCloseTo(low, 4);
  expect(interval[1]).toBeCloseTo(high, 4);
});

describe("a temperature", () => {
  test.each([0.4, 1, 2.5])("is found again where logits were made %d times as large", (factor) => {
    const answers = answersOf(20_000, 5, 1, factor);
    expect(fitTemperature(answers)).toBeGreaterThan(0.95 * factor);
    expect(fitTemperature(answers)).toBeLessThan(1.05 * factor);
  });

  test.each([1, 3])("has the smallest loss, with %d views", (views) => {
    const answers = answersOf(500, 4, views, 3);
    const temperature = fitTemperature(answers);
    const least = lossAt(answers, temperature);
    for (const factor of [0.2, 0.9, 0.999, 1.001, 1.1, 5]) expect(lossAt(answers, factor * temperature)).toBeGreaterThan(least);
  });

  test("does not exist where every answer is right", () => {
    const answers = answersOf(50, 3, 1, 1).map(({ views }) => {
      const [logits] = views.map((view) => Array.from(view));
      return { views, label: logits.indexOf(Math.max(...logits)) };
    });
    expect(() => fitTemperature(answers)).toThrow(/no temperature between 0.05 and 20 .* these 50 images: .* where every answer is right/);
  });

  test("applied to probabilities is what it is to logits, however small they are", () => {
    for (const logits of [
      [1, 2, -3],
      [0, 300, -300],
    ])
      softmax(logits.map((x) => x / 3)).forEach((p, k) => {
        expect(temper(softmax(logits), 3)[k]).toBeCloseTo(p, 12);
      });
  });
});

const classifierOf = (bytes: Uint8Array) => createClassifier<Image>(bytes, HERE);
async function ask(bytes: Uint8Array, views: string): Promise<{ readonly all: Float32Array; readonly each: readonly Float32Array[] }> {
  const classifier = await classifierOf(bytes);
  try {
    const { probabilities, views: each } = await classifier.classify(picture(1, 3, 20, 16), { views });
    return { all: probabilities, each: each.map((view) => view.probabilities) };
  } finally {
    await classifier.dispose();
  }
}

describe("a file with a temperature", () => {
  const plain = withMetadata(model());
  const tempered = withMetadata(model(), { temperature: 2.5 });

  test("says so; one without says nothing, and means 1", () => {
    expect(readMetadata(tempered)?.temperature).toBe(2.5);
    expect(readMetadata(plain)).not.toHaveProperty("temperature");
  });

  test.each([0, -1, Number.NaN, "2"])("%s is none", (temperature) => {
    expect(() => withMetadata(model(), { temperature: temperature as number })).toThrow(
      "metadata: fivecrop.temperature: expected a number above 0",
    );
  });

  test("answers softmax(logits / T) for each view, then averaged", async () => {
    const [before, after] = [await ask(plain, "five-crop"), await ask(tempered, "five-crop")];
    const wanted = before.each.map((p) => temper(Float64Array.from(p), 2.5));
    after.all.forEach((p, k) => {
      expect(p).toBeCloseTo(wanted.reduce((sum, list) => sum + list[k], 0) / wanted.length, 6);
      expect(after.each[0][k]).toBeCloseTo(wanted[0][k], 6);
    });
    expect(Math.max(...after.all)).toBeLessThan(Math.max(...before.all) - 0.01);
  });

  test("answers the same where its output is a log-softmax, whose shift a softmax does not see", async () => {
    const logarithmic = withMetadata(model("N", "LogSoftmax"), { temperature: 2.5, outputKind: "log-probabilities" });
    const [wanted, found] = [await ask(tempered, "five-crop"), await ask(logarithmic, "five-crop")];
    found.all.forEach((p, k) => void expect(p).toBeCloseTo(wanted.all[k], 6));
    const { bytes, largestDifference } = await makeSelfContained(await withGoldenSamples(logarithmic), { views: "five-crop" });
    expect(largestDifference).toBeLessThan(0.02);
    const options = { createSession, decode: (file: Uint8Array, name: string) => decodeImage(file, name) };
    expect(await verifySamples(bytes, options)).not.toHaveProperty("divergence");
  });

  test("is refused where its output is a softmax already", async () => {
    expect(() => withMetadata(model("N", "Softmax"), { temperature: 2, outputKind: "probabilities" })).toThrow(
      /a temperature \(2\) divides logits or log-probabilities, and this output is probabilities/,
    );
    await expect(classifierOf(appendMetadata(model("N", "Softmax"), { ...readMetadata(tempered)! }))).rejects.toThrow(
      "this output is probabilities",
    );
  });

  test("its self-contained file and its adopted copy carry it", async () => {
    const options = { createSession, decode: (bytes: Uint8Array, name: string) => decodeImage(bytes, name) };
    const { bytes, largestDifference } = await makeSelfContained(await withGoldenSamples(tempered), { views: "five-crop" });
    expect(largestDifference).toBeLessThan(0.02);
    expect(await verifySamples(bytes, options)).not.toHaveProperty("divergence");
    const hot = await makeSelfContained(plain, { views: "five-crop" });
    expect(readMetadata(hot.bytes)?.samples?.samples[0].probabilities).not.toBe(readMetadata(bytes)?.samples?.samples[0].probabilities);
    expect((await adopt(tempered, createSession, { views: "flip" })).metadata).toMatchObject({ temperature: 2.5, views: "flip" });
    expect(() => selfContained(model(), { metadata: { ...readMetadata(tempered)!, outputKind: "probabilities" } })).toThrow(
      "divides logits or log-probabilities",
    );
  });

  test("its golden samples are those pictures' answers with it", async () => {
    const options = { createSession, decode: (bytes: Uint8Array, name: string) => decodeImage(bytes, name) };
    const before = await withGoldenSamples(plain);
    const after = await withTemperature(before, 2.5);
    expect(readMetadata(after)).toMatchObject({ temperature: 2.5 });
    expect(readMetadata(after)?.samples?.samples.map(({ file }) => file)).toEqual(
      readMetadata(before)?.samples?.samples.map(({ file }) => file),
    );
    expect(await verifySamples(after, options)).not.toHaveProperty("divergence");
    const stale = appendMetadata(after, { ...readMetadata(before)!, temperature: 2.5 });
    expect((await verifySamples(stale, options)).divergence).toMatchObject({ stage: "graph" });
  });
});
