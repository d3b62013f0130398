import { describe, expect, test } from "vitest";
import { deviceFault } from "../../../core/device-fault.ts";
import { FivecropError } from "../../../core/errors.ts";
import { createSession } from "../../../core/session.node.ts";
import { loadClassifier } from "../../../inference/classifier.node.ts";
import { verifyModel } from "../../../inference/golden-samples.node.ts";
import { BACKBONES } from "../../../models/backbones.ts";
import { readBackbone } from "../../../models/pretrained.node.ts";
import { inMemory } from "../../../pipeline/dataset.ts";
import { encodePng } from "../../../pipeline/encode.node.ts";
import { memoryCheckpoints } from "../../../training/checkpoint.ts";
import { holdOut } from "../../../training/make/hold-out.ts";
import { type FeatureStore, type MakeClassifierOptions, type MakeEvent, makeClassifier } from "../../../training/make/make-classifier.ts";
import { SHAPES, shapePicture, shapePictures } from "./shape-pictures.ts";

const dataset = inMemory({ name: "shapes", classNames: SHAPES, ...shapePictures(12) });
const backbone = await readBackbone(BACKBONES["mobilenetv2-features"]);

function memoryFeatures(): FeatureStore & { readonly saved: string[] } {
  const kept = new Map<string, Float32Array>();
  const saved: string[] = [];
  return {
    saved,
    load: async (name) => kept.get(name),
    save: async (name, features) => {
      saved.push(name);
      kept.set(name, features);
    },
  };
}

const OPTIONS = { device: "cpu", processor: "cpu", createSession, encode: encodePng, epochs: 12, backbone } as const;
const optionsFor = (approach: MakeClassifierOptions["approach"]): MakeClassifierOptions => ({
  ...OPTIONS,
  approach,
  checkpoints: memoryCheckpoints(),
  features: memoryFeatures(),
});

async function make(options: MakeClassifierOptions, onEvent: (event: MakeEvent) => void = () => undefined): Promise<MakeEvent[]> {
  const events: MakeEvent[] = [];
  for await (const event of makeClassifier(dataset, options)) {
    events.push(event);
    onEvent(event);
  }
  return events;
}

function madeIn(events: readonly MakeEvent[]): Extract<MakeEvent, { kind: "made" }> {
  const last = events.at(-1);
  if (last?.kind !== "made") throw new Error(`nothing was made: ${last?.kind}`);
  return last;
}

describe.each(["features", "network"] as const)("a classifier from pictures, by %s", { timeout: 300_000 }, (approach) => {
  test("tells new pictures apart, carries golden samples, and is what was trained", async () => {
    const { bytes, compared, largestDifference } = madeIn(await make(optionsFor(approach)));
    expect(compared).toBe(4); // 2 of the 12 of each class are held out
    expect(largestDifference).toBeLessThan(1e-4);
    const { samples, divergence } = await verifyModel(bytes);
    expect([samples, divergence]).toEqual([3, undefined]);
    const classifier = await loadClassifier(bytes);
    const asked = SHAPES.flatMap((shape) => Array.from({ length: 10 }, (_, i) => ({ shape, image: shapePicture(shape, 100 + i) })));
    const answers = await classifier.classifyBatch(asked.map(({ image }) => image));
    await classifier.dispose();
    expect(answers.filter(({ predictions }, i) => predictions[0].label === asked[i].shape).length).toBeGreaterThanOrEqual(19);
  });

  test("stopped anywhere and gone on with, it is the same file's weights, and features are computed once", async () => {
    const features = memoryFeatures(); // they depend on the pictures alone
    const whole = madeIn(await make({ ...optionsFor(approach), features }));
    const options = { ...optionsFor(approach), features };
    const stop = new AbortController();
    const first = await make({ ...options, signal: stop.signal }, (event) => {
      if (event.kind === "step" && event.step === 7) stop.abort();
    });
    expect(first.at(-1)).toMatchObject({ kind: "end", reason: "interrupted" });
    const rest = await make({ ...options, resume: true });
    expect(rest.some(({ kind }) => kind === "features")).toBe(false);
    const probabilities = await Promise.all(
      [whole, madeIn(rest)].map(async ({ bytes }) => {
        const classifier = await loadClassifier(bytes);
        const { probabilities: found } = await classifier.classify(shapePicture("red disc", 200));
        await classifier.dispose();
        return [...found];
      }),
    );
    expect(probabilities[1]).toEqual(probabilities[0]);
  });
});

test("stopped while features are computed, it says so and keeps no half of them", async () => {
  const stop = new AbortController();
  const features = memoryFeatures();
  const events = await make({ ...optionsFor("features"), features, signal: stop.signal }, ({ kind }) => {
    if (kind === "features") stop.abort();
  });
  expect(events.at(-1)).toEqual({ kind: "stopped" });
  expect(features.saved).toEqual([]);
});

test("a device that is not there is refused where it was asked for, and named where it was not", async () => {
  const without: MakeClassifierOptions["createSession"] = (bytes, options) =>
    createSession(bytes, options?.device === "webgpu" ? { ...options, device: "wasm" } : options);
  await expect(make({ ...optionsFor("network"), device: "webgpu", createSession: without })).rejects.toThrow(/device/);
  const options = { ...optionsFor("network"), device: "auto", createSession: without, epochs: 1 } as const;
  const [device] = await make(options);
  expect(device).toMatchObject({ kind: "device", device: "cpu", why: expect.stringContaining("webgpu is not used") });
});

test("a device that is lost in the middle: it says how to go on, and so it does", { timeout: 300_000 }, async () => {
  let steps = 0;
  let from = Number.POSITIVE_INFINITY;
  const losing: MakeClassifierOptions["createSession"] = async (bytes, how) => {
    const session = await createSession(bytes, how);
    const run: typeof session.run = async (feeds, fetches) => {
      if (how?.name === "the training step" && ++steps > from) throw deviceFault(how.name, new Error("WebGPU device lost (1)"));
      return session.run(feeds, fetches);
    };
    return { ...session, run };
  };
  const options = { ...optionsFor("network"), epochs: 3, createSession: losing };
  from = 1;
  await expect(make(options)).rejects.toThrow(
    /^cpu was lost in the middle of the run: .*device lost.* There is no checkpoint yet\. To fix: train anew, on cpu\.$/,
  );
  [steps, from] = [0, 4]; // two steps an epoch
  await expect(make(options)).rejects.toThrow(/The last checkpoint is whole\. To go on from it: resume, on cpu\.$/);
  from = Number.POSITIVE_INFINITY;
  const rest = await make({ ...options, resume: true });
  expect(rest.find(({ kind }) => kind === "step")).toMatchObject({ epoch: 3 });
  madeIn(rest);
});

test("a device that was refused for the features is not tried again for the training", { timeout: 300_000 }, async () => {
  let tried = 0;
  const without: MakeClassifierOptions["createSession"] = async (bytes, how) => {
    if (how?.device !== "webgpu") return createSession(bytes, how);
    tried++;
    throw new FivecropError("WebGPU is not to be had.");
  };
  const events = await make({ ...optionsFor("features"), device: "auto", createSession: without, epochs: 1 });
  const why = "webgpu is not used: WebGPU is not to be had.";
  expect(events.filter(({ kind }) => kind === "device")).toMatchObject([
    { of: "features", device: "cpu", why },
    { of: "training", device: "cpu", why },
  ]);
  expect(tried).toBe(1);
});

test("one of five pictures of every class is held out, the same each time; none where there are fewer", () => {
  const { training, validation } = holdOut(dataset, 3);
  expect([training.length, validation?.length]).toEqual([20, 4]);
  expect([...validation!.labels].sort()).toEqual([0, 0, 1, 1]);
  const few = inMemory({ name: "few", classNames: SHAPES, ...shapePictures(4) });
  expect(holdOut(few, 0)).toEqual({ training: few });
});
