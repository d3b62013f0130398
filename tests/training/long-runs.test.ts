import { describe, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { createSession } from "../../core/session.node.ts";
import { adaptiveAveragePool2d, batchNorm, conv2d, flatten, linear, relu, sequential } from "../../models/layers/index.ts";
import { type Network, network, networkForSize } from "../../models/network.ts";
import { inMemory, splitDataset } from "../../pipeline/dataset.ts";
import { createImage } from "../../pipeline/image.ts";
import { hereLoader } from "../../pipeline/loader.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { memoryCheckpoints, readCheckpoint, writeCheckpoint } from "../../training/checkpoint.ts";
import type { TrainingState } from "../../training/engine.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { planEpochs, preprocessAt } from "../../training/epoch-plan.ts";
import { type FitEvent, type FitOptions, fit } from "../../training/fit.ts";
import { adam } from "../../training/optimizers.ts";
import type { EpochRecord } from "../../training/progress.ts";
import { historyCsv, logCsv } from "../../training/report/history-csv.ts";
import { parseSchedule } from "../../training/schedules.ts";
import type { WeightAverage } from "../../training/weight-average.ts";

const preprocess: PreprocessSpec = { resize: null, filter: "bilinear", crop: [8, 8], channels: 1, mean: [0.5], std: [0.5] };
const noise = random(3);
const labels = Array.from({ length: 56 }, (_, i) => i % 2);
const images = labels.map((label) =>
  createImage(
    8,
    8,
    1,
    Uint8Array.from({ length: 64 }, (_, i) => noise.integer(150) + ((label ? i % 8 : i >> 3) % 4 < 2 ? 80 : 0)),
  ),
);
const { training, validation } = splitDataset(inMemory({ name: "bars", classNames: ["across", "down"], images, labels }), 0.25, 0);
const data = { training: hereLoader(training), validation: hereLoader(validation) };
const pooled = network(
  "pooled",
  sequential([conv2d(6, 3, { padding: 1 }), batchNorm, relu, adaptiveAveragePool2d(1), flatten, linear(2)]),
  {
    input: [1, 8, 8],
  },
);
const fixed = network("fixed", sequential({ conv: conv2d(2, 3), flatten, fc: linear(2) }), { input: [1, 8, 8] });
/** 42 images: 5 steps an epoch. */
const options: FitOptions = { preprocess, epochs: 3, batchSize: 10, learningRate: 0.05, seed: 1, schedule: parseSchedule("one-cycle") };

interface Asked extends Partial<FitOptions> {
  readonly average?: WeightAverage;
  readonly network?: Network;
  /** Ends the run right after this event, as the signal does. */
  readonly stopAt?: (event: FitEvent, step: number) => boolean;
}

async function train({ average, network: net = pooled, stopAt = () => false, ...more }: Asked = {}) {
  const controller = new AbortController();
  const engine = createOnnxRuntimeEngine({ network: net, optimizer: adam(), average, createSession });
  const events: FitEvent[] = [];
  let step = 0;
  try {
    for await (const event of fit(engine, data, { ...options, ...more, signal: controller.signal })) {
      events.push(event);
      if (event.kind === "step") step = event.step;
      if (stopAt(event, step)) controller.abort();
    }
    return { events, end: events.at(-1) as Extract<FitEvent, { kind: "end" }>, state: await engine.state() };
  } finally {
    await engine.dispose();
  }
}

const of = <K extends FitEvent["kind"]>(events: readonly FitEvent[], kind: K) =>
  events.filter((event): event is Extract<FitEvent, { kind: K }> => event.kind === kind);
const timeless = ({ seconds: _, ...record }: EpochRecord) => record;

const PLANS: Readonly<Record<string, Asked>> = {
  plain: {},
  "logging, where logs meet epochs' ends": { logEvery: 2 },
  "logging seldom": { logEvery: 4 },
  averaging: { average: { decay: 0.9, warmup: true }, logEvery: 3 },
  "growing images": {
    sizes: [
      { size: 5, epochs: 1, batchSize: 20 },
      { size: 6, epochs: 1 },
    ],
    logEvery: 3,
  },
};

describe.each(Object.entries(PLANS))("%s", (_, asked) => {
  test("stopped anywhere and resumed, it ends in the same state to the last bit", async () => {
    const kept = memoryCheckpoints();
    const straight = await train({ ...asked, checkpoints: kept });
    const best = await kept.load("best");
    const steps = of(straight.events, "step").length;
    const lists = [[1], [2, 4], [3, 5, 10], [6, 8], [steps - 1], Array.from({ length: steps }, (_, i) => i + 1)];
    for (const stops of lists) {
      const checkpoints = memoryCheckpoints();
      const events: FitEvent[] = [];
      let state: TrainingState | undefined;
      for (const stop of [...stops, Number.POSITIVE_INFINITY]) {
        const last = await checkpoints.load("last");
        const resume = last && readCheckpoint(writeCheckpoint(last), "last");
        const part = await train({ ...asked, checkpoints, resume, stopAt: (event) => event.kind === "step" && event.step === stop });
        expect(part.end.reason).toBe(Number.isFinite(stop) ? "interrupted" : "finished");
        events.push(...part.events);
        state = part.state;
      }
      expect(state).toEqual(straight.state);
      const told = (all: readonly FitEvent[]) => of(all, "step").map(({ seconds: _, ...step }) => step);
      expect(told(events)).toEqual(told(straight.events));
      for (const kind of ["log", "epoch"] as const)
        expect(of(events, kind).map(({ record }) => timeless(record))).toEqual(
          of(straight.events, kind).map(({ record }) => timeless(record)),
        );
      const found = (await checkpoints.load("best"))!;
      expect(found.training).toEqual(best!.training);
      const { progress } = (await checkpoints.load("last"))!;
      expect(progress.logs.map(timeless)).toEqual(of(straight.events, "log").map(({ record }) => timeless(record)));
    }
  });
});

describe("--log-every", () => {
  test("validates and records every so many steps of the run; the training itself is as without", async () => {
    const [without, logged] = [await train(), await train({ logEvery: 4 })];
    expect(logged.state).toEqual(without.state);
    expect(logged.end.history.map(timeless)).toEqual(without.end.history.map(timeless));
    const logs = of(logged.events, "log").map(({ record }) => record);
    expect(logs.map(({ step, epoch }) => [step, epoch])).toEqual([
      [4, 0.8],
      [8, 1.6],
      [12, 2.4],
    ]);
    const losses = of(logged.events, "step");
    for (const { step, trainingLoss, learningRate } of logs) {
      const since = losses.filter((event) => event.step > step - 4 && event.step <= step);
      const images = since.reduce((sum, event) => sum + event.images, 0);
      expect(trainingLoss).toBeCloseTo(since.reduce((sum, event) => sum + event.loss * event.images, 0) / images, 10);
      expect(learningRate).toBe(since.at(-1)!.learningRate);
    }
    expect(of(without.events, "log")).toEqual([]);
  });

  test("a log at an epoch's end has the epoch's validation, and the best epoch is one of the epochs", async () => {
    const { events, end } = await train({ logEvery: 5 });
    const logs = of(events, "log").map(({ record }) => record);
    expect(logs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    logs.forEach((log, i) => {
      expect(log.validationLoss).toBe(end.history[i].validationLoss);
      expect(log.trainingLoss).toBeCloseTo(end.history[i].trainingLoss, 12);
    });
    expect(end.history).toContain(end.best);
  });

  test("a stop in the midst of a validation loses nothing", async () => {
    const straight = await train({ logEvery: 3 });
    const checkpoints = memoryCheckpoints();
    const slow = { ...data, validation: { ...data.validation } };
    const controller = new AbortController();
    slow.validation.batches = async function* (plan) {
      for await (const batch of data.validation.batches(plan)) {
        controller.abort();
        yield batch;
      }
    };
    const engine = createOnnxRuntimeEngine({ network: pooled, optimizer: adam(), createSession });
    const events: FitEvent[] = [];
    for await (const event of fit(engine, slow, { ...options, logEvery: 3, checkpoints, signal: controller.signal })) events.push(event);
    await engine.dispose();
    expect(events.map(({ kind }) => kind)).toEqual(["start", "step", "step", "step", "end"]);
    const { state, end, events: later } = await train({ logEvery: 3, resume: await checkpoints.load("last") });
    expect(later.slice(0, 2).map(({ kind }) => kind)).toEqual(["start", "log"]);
    expect(state).toEqual(straight.state);
    expect(end.history.map(timeless)).toEqual(straight.end.history.map(timeless));
  });

  test("history.csv has a line an epoch, log.csv a line a log", async () => {
    const { events, end } = await train({ logEvery: 4 });
    const lines = (text: string) => text.trim().split("\n");
    expect(lines(historyCsv(end.history)).map((line) => line.split(",")[0])).toEqual(["epoch", "1", "2", "3"]);
    const log = lines(logCsv(of(events, "log").at(-1)!.logs));
    expect(log[0]).toBe("step,epoch,training_loss,training_accuracy,validation_loss,validation_accuracy,learning_rate,seconds");
    expect(log.slice(1).map((line) => line.split(",").slice(0, 2).join(" "))).toEqual(["4 0.8", "8 1.6", "12 2.4"]);
  });
});

describe("sizes by epoch", () => {
  test("the first epochs see smaller images, in larger batches where asked; validation is at the full size", async () => {
    const seen: string[] = [];
    const spied = (name: keyof typeof data) => ({
      ...data[name],
      async *batches(plan: Parameters<typeof data.training.batches>[0]) {
        seen.push(`${name} ${plan.epoch} ${plan.preprocess.crop} of ${plan.batchSize}`);
        yield* data[name].batches(plan);
      },
    });
    const engine = createOnnxRuntimeEngine({ network: pooled, optimizer: adam(), createSession });
    const sizes = [
      { size: 4, epochs: 1, batchSize: 21 },
      { size: 6, epochs: 1 },
    ];
    const events: FitEvent[] = [];
    for await (const event of fit(engine, { training: spied("training"), validation: spied("validation") }, { ...options, sizes }))
      events.push(event);
    await engine.dispose();
    expect(seen).toEqual([
      "training 0 4,4 of 21",
      "validation 0 8,8 of 10",
      "training 1 6,6 of 10",
      "validation 0 8,8 of 10",
      "training 2 8,8 of 10",
      "validation 0 8,8 of 10",
    ]);
    expect(events[0]).toEqual({ kind: "start", epochs: 3, steps: 2 + 5 + 5, step: 0, done: 0 });
    const work = [0, 4 * 4, 4 * 4 + 6 * 6, 4 * 4 + 6 * 6 + 8 * 8];
    const done = of(events, "step").map((event) => event.done * work[3]);
    expect([done[1], done[6], done[11]].map((share) => +share.toFixed(9))).toEqual(work.slice(1));
    expect(done[0]).toBeCloseTo((4 * 4) / 2, 9);
    const end = events.at(-1) as Extract<FitEvent, { kind: "end" }>;
    expect(end.history.map(({ step }) => step)).toEqual([2, 7, 12]);
    const rates = of(events, "step").map(({ learningRate }) => learningRate);
    const { factor } = parseSchedule("one-cycle");
    expect(rates).toEqual(rates.map((_, step) => 0.05 * factor({ step, epoch: 0 }, { steps: 12, epochs: 3 })));
  });

  test("resize and crop shrink in proportion", () => {
    const photo: PreprocessSpec = { resize: 256, filter: "bilinear", crop: [224, 224], channels: 3, mean: [0, 0, 0], std: [1, 1, 1] };
    expect(preprocessAt(photo, 112)).toEqual({ ...photo, resize: 128, crop: [112, 112] });
    expect(preprocessAt({ ...photo, resize: null }, 112)).toEqual({ ...photo, resize: [112, 112], crop: [112, 112] });
    expect(preprocessAt({ ...photo, resize: [300, 200], crop: [300, 200] }, 100).crop).toEqual([150, 100]);
    expect(preprocessAt(photo, 224)).toBe(photo);
    expect(
      planEpochs(10, { epochs: 3, batchSize: 4, preprocess: photo, sizes: [{ size: 112, epochs: 2 }] }).map((e) => e.firstStep),
    ).toEqual([0, 3, 6]);
  });

  test("a network that takes one size only is refused by name, before anything is trained", async () => {
    await expect(train({ network: fixed, sizes: [{ size: 6, epochs: 1 }] })).rejects.toThrow(
      "network 'fixed', made for images of [C, H, W] = [1,8,8], does not take them of [1,6,6]: at [1,16,16] its weight 'fc.weight' would be [2,392] instead of [2,72]. To fix:",
    );
    await expect(train({ network: fixed, sizes: [{ size: 2, epochs: 1 }] })).rejects.toThrow(
      "network 'fixed', made for images of [C, H, W] = [1,8,8], does not take them of [1,2,2]",
    );
    const { atSize: _, ...parsed } = pooled;
    expect(() => networkForSize(parsed, [1, 6, 6])).toThrow("its layers are not known, only its graph is");
  });

  test.each<[Asked, string]>([
    [{ sizes: [{ size: 0, epochs: 1 }] }, "sizes: image size: expected a whole number of at least 1, received 0"],
    [{ sizes: [{ size: 4, epochs: 1.5 }] }, "sizes: epochs: expected a whole number of at least 1, received 1.5"],
    [
      {
        sizes: [
          { size: 4, epochs: 2 },
          { size: 6, epochs: 2 },
        ],
      },
      "sizes: expected at most the run's 3 epochs, received 4 in all",
    ],
    [{ sizes: [{ size: 4, epochs: 1, batchSize: 99 }] }, "batch size: expected at most the 42 images there are to train on, received 99"],
  ])("%o is refused", async (asked, message) => {
    await expect(train(asked)).rejects.toThrow(message);
  });

  test("a checkpoint of a run with other sizes is refused where its steps differ", async () => {
    const checkpoints = memoryCheckpoints();
    await train({ epochs: 1, checkpoints, sizes: [{ size: 4, epochs: 1, batchSize: 20 }] });
    await expect(train({ resume: await checkpoints.load("last") })).rejects.toThrow("steps done: expected 5, found 3");
  });
});
