import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { createSession } from "../../core/session.node.ts";
import { batchNorm, flatten, linear, relu, sequential } from "../../models/layers/index.ts";
import { network } from "../../models/network.ts";
import { inMemory, splitDataset } from "../../pipeline/dataset.ts";
import { createImage } from "../../pipeline/image.ts";
import { hereLoader } from "../../pipeline/loader.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { type CheckpointStore, memoryCheckpoints } from "../../training/checkpoint.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { type FitEvent, type FitOptions, fit } from "../../training/fit.ts";
import { adam, sgd } from "../../training/optimizers.ts";
import { parseSchedule } from "../../training/schedules.ts";

const preprocess: PreprocessSpec = { resize: null, filter: "bilinear", crop: [4, 4], channels: 1, mean: [0.5], std: [0.5] };
const noise = random(3);
const labels = Array.from({ length: 60 }, (_, i) => i % 3);
const images = labels.map((label) =>
  createImage(
    4,
    4,
    1,
    Uint8Array.from({ length: 16 }, (_, i) => noise.integer(120) + (i % 3 === label ? 120 : 0)),
  ),
);
const dataset = inMemory({ name: "stripes", classNames: ["a", "b", "c"], images, labels });
const { training, validation } = splitDataset(dataset, 0.25, 0);
const data = { training: hereLoader(training), validation: hereLoader(validation) };
const net = network("stripes", sequential([flatten, linear(12), batchNorm, relu, linear(3)]), { input: [1, 4, 4] });
const options: FitOptions = { preprocess, epochs: 3, batchSize: 10, learningRate: 0.05, seed: 1 };

async function train(more: Partial<FitOptions> = {}, optimizer = adam()) {
  const engine = createOnnxRuntimeEngine({ network: net, optimizer, createSession });
  const events: FitEvent[] = [];
  try {
    for await (const event of fit(engine, data, { ...options, ...more })) {
      events.push(event);
    }
    return { events, state: await engine.state() };
  } finally {
    await engine.dispose();
  }
}

describe("fit", () => {
  test("learns, and says each step, each epoch and the end", async () => {
    const { events, state } = await train({ epochs: 8 });
    expect(events[0]).toEqual({ kind: "start", epochs: 8, steps: 40, step: 0, done: 0 });
    expect(events.filter(({ kind }) => kind === "step").length).toBe(40);
    const end = events.at(-1)!;
    if (end.kind !== "end") throw new Error("no end");
    expect(end.reason).toBe("finished");
    expect(end.history.length).toBe(8);
    expect(end.best!.validationAccuracy).toBe(1);
    expect(end.history.at(-1)!.trainingLoss).toBeLessThan(end.history[0].trainingLoss / 2);
    expect(state.step).toBe(40);
  });

  test("the rate follows the schedule, step by step", async () => {
    const { events } = await train({ epochs: 2, schedule: parseSchedule("exponential:0.5/step") }, sgd());
    const rates = events.flatMap((event) => (event.kind === "step" ? [event.learningRate] : []));
    rates.forEach((rate, step) => {
      expect(rate).toBeCloseTo(0.05 * 0.5 ** step, 12);
    });
  });

  test("stops early after `patience` epochs without a better one, and keeps the best", async () => {
    const checkpoints = memoryCheckpoints();
    const { events } = await train({ epochs: 50, patience: 3, checkpoints });
    const end = events.at(-1)!;
    if (end.kind !== "end") throw new Error("no end");
    expect(end.reason).toBe("early stop");
    expect(end.history.length - end.best!.epoch).toBe(3);
    expect((await checkpoints.load("best"))!.progress.epoch).toBe(end.best!.epoch);
    expect((await checkpoints.load("last"))!.progress.epoch).toBe(end.history.length);
  });

  test("an epoch is one state and one checkpoint, the best one under both names", async () => {
    const engine = createOnnxRuntimeEngine({ network: net, optimizer: adam(), createSession });
    const saved: string[] = [];
    let states = 0;
    const counting = {
      ...engine,
      state() {
        states++;
        return engine.state();
      },
    };
    const kept = memoryCheckpoints();
    const checkpoints: CheckpointStore = {
      ...kept,
      save(names, checkpoint) {
        saved.push(names.join(" and "));
        return kept.save(names, checkpoint);
      },
    };
    const expected: string[] = [];
    for await (const event of fit(counting, data, { ...options, epochs: 4, learningRate: 0.5, checkpoints }))
      if (event.kind === "epoch") expected.push(event.isBest ? "best and last" : "last");
    await engine.dispose();
    expect(saved).toEqual(expected);
    expect(states).toBe(4);
    expect(expected[0]).toBe("best and last");
    expect((await checkpoints.load("best"))!.progress.epoch).toBe(expected.lastIndexOf("best and last") + 1);
    expect((await checkpoints.load("last"))!.progress.epoch).toBe(4);
  });

  test("without validation data, training accuracy decides", async () => {
    const engine = createOnnxRuntimeEngine({ network: net, optimizer: adam(), createSession });
    const events: FitEvent[] = [];
    for await (const event of fit(engine, { training: data.training }, options)) events.push(event);
    await engine.dispose();
    const end = events.at(-1)!;
    if (end.kind !== "end") throw new Error("no end");
    expect(end.history.length).toBe(3);
    expect(end.history.every((record) => !("validationAccuracy" in record))).toBe(true);
    expect(end.best!.trainingAccuracy).toBe(Math.max(...end.history.map(({ trainingAccuracy }) => trainingAccuracy)));
  });

  test("a validation loss that is not finite stops the run before anything is kept as best", async () => {
    const checkpoints = memoryCheckpoints();
    await expect(train({ learningRate: 1e38, batchSize: 45, checkpoints }, sgd())).rejects.toThrow(
      /the validation loss is \S+ at step 1, with the learning rate 1e\+38/,
    );
    expect(await checkpoints.load("best")).toBeUndefined();
  });

  test("a loss that is not finite stops the run with the step, the rate and advice", async () => {
    await expect(train({ learningRate: 1e38 }, sgd())).rejects.toThrow(
      /the loss is (NaN|Infinity) at step \d+, with the learning rate 1e\+38: the training has diverged\. To fix: lower the learning rate \(try 1e\+37\)/,
    );
  });

  test.each<[Partial<FitOptions>, string]>([
    [{ epochs: 0 }, "epochs: expected a whole number of at least 1, received 0"],
    [{ batchSize: 0 }, "batch size: expected a whole number of at least 1, received 0"],
    [{ batchSize: 46 }, "batch size: expected at most the 45 images there are to train on, received 46"],
    [{ learningRate: -1 }, "learning rate: expected a number above 0, received -1"],
    [{ learningRate: Number.NaN }, "learning rate: expected a number above 0, received NaN"],
    [{ logEvery: 0 }, "log every: expected a whole number of at least 1, received 0"],
    [{ patience: 0.5 }, "patience: expected a whole number of at least 1, received 0.5"],
    [{ labelSmoothing: 1 }, "label smoothing: expected a number from 0 up to, but not including, 1, received 1"],
  ])("%o is refused", async (more, message) => {
    await expect(train(more)).rejects.toThrow(message);
  });

  test.each<[string, Partial<FitOptions>]>([
    ["the last batch", { batchSize: 44 }],
    ["the last batch of a stage", { sizes: [{ size: 4, epochs: 1, batchSize: 22 }] }],
  ])("a batch norm over one value in %s is refused before the first step", async (_, more) => {
    const engine = createOnnxRuntimeEngine({ network: net, optimizer: adam(), createSession });
    await expect(fit(engine, data, { ...options, ...more }).next()).rejects.toThrow(
      /node '\S+' \(BatchNormalization\) would normalize over one value: its input is \[1,12\]/,
    );
    await engine.dispose();
  });

  test("a checkpoint of another run is refused", async () => {
    const checkpoints = memoryCheckpoints();
    await train({ epochs: 1, checkpoints });
    const resume = await checkpoints.load("last");
    await expect(train({ resume }, sgd())).rejects.toThrow(
      "the checkpoint is of another run: optimizer: expected sgd, found adam. To fix:",
    );
    await expect(train({ resume, batchSize: 20 })).rejects.toThrow("batch size: expected 20, found 10");
    await expect(train({ resume, seed: 9 })).rejects.toThrow("seed: expected 9, found 1");
  });

  test("preprocessing that does not fit the network is refused", async () => {
    const wide: PreprocessSpec = { ...preprocess, crop: [6, 6] };
    await expect(train({ preprocess: wide })).rejects.toThrow(
      "the network takes images of [C, H, W] = [1,4,4], and the preprocessing makes them [1,6,6]",
    );
  });

  test("a network of another number of classes is refused", async () => {
    const wide = network("wide", sequential([flatten, linear(4)]), { input: [1, 4, 4] });
    const engine = createOnnxRuntimeEngine({ network: wide, optimizer: sgd(), createSession });
    await expect(fit(engine, data, options).next()).rejects.toThrow("the network tells 4 classes apart, and the data set stripes has 3");
  });
});
