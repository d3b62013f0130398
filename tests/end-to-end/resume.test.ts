import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { createNetwork } from "../../models/architectures/index.ts";
import { parseAugmentations } from "../../pipeline/augmentations/text.ts";
import { createLoader } from "../../pipeline/batches.node.ts";
import { type Dataset, splitDataset, subset } from "../../pipeline/dataset.ts";
import { FASHION_MNIST_PREPROCESS } from "../../pipeline/datasets/fashion-mnist.ts";
import { openDataset } from "../../pipeline/datasets/index.ts";
import { fileCheckpoints } from "../../training/checkpoint.node.ts";
import type { Checkpoint } from "../../training/checkpoint.ts";
import { createOnnxRuntimeEngine } from "../../training/engines/onnxruntime.ts";
import { type FitEvent, fit } from "../../training/fit.ts";
import { createOptimizer } from "../../training/optimizers.ts";
import { parseSchedule } from "../../training/schedules.ts";
import { temporaryFolder } from "../cli/run.ts";

const EPOCHS = 4;
const BATCH = 32;

interface Run {
  readonly folder: string;
  readonly seed?: number;
  readonly optimizer: string;
  /** Stop after this step of the run, counted from 1. */
  readonly until?: number;
}

/** Trains from the folder's last checkpoint, if there is one, in a process's place: a new engine, new loaders. */
async function train(
  data: Dataset,
  { folder, seed = 5, optimizer, until }: Run,
): Promise<{ readonly events: FitEvent[]; readonly last: Checkpoint; readonly best?: Checkpoint }> {
  const checkpoints = fileCheckpoints(folder);
  const { training, validation } = splitDataset(data, 0.25, 1);
  const engine = createOnnxRuntimeEngine({
    network: createNetwork("fashion-cnn"),
    optimizer: createOptimizer(optimizer),
    average: { decay: 0.99 },
    createSession,
  });
  const loaders = { training: createLoader(training), validation: createLoader(validation) };
  const stop = new AbortController();
  const events: FitEvent[] = [];
  try {
    const options = {
      preprocess: FASHION_MNIST_PREPROCESS,
      epochs: EPOCHS,
      batchSize: BATCH,
      learningRate: 0.004,
      schedule: parseSchedule("one-cycle"),
      seed,
      augmentations: parseAugmentations("flip,random-crop:2,rand-augment:1,5,cutout:6,mixup:0.4,0.7,cutmix"),
      labelSmoothing: 0.1,
      logEvery: 4,
      checkpoints,
      resume: await checkpoints.load("last"),
      signal: stop.signal,
    } as const;
    for await (const event of fit(engine, loaders, options)) {
      events.push(event);
      if (event.kind === "step" && event.step === until) stop.abort();
    }
  } finally {
    await Promise.all([engine.dispose(), loaders.training.dispose(), loaders.validation.dispose()]);
  }
  return { events, last: (await checkpoints.load("last"))!, best: await checkpoints.load("best") };
}

/** A checkpoint without the one thing that may differ: wall time. */
const comparable = ({ progress: { running, sinceLog, history, logs, ...place }, ...rest }: Checkpoint) => ({
  ...rest,
  progress: {
    ...place,
    running: timeless(running),
    sinceLog: timeless(sinceLog),
    history: history.map(timeless),
    logs: logs.map(timeless),
  },
});

const timeless = <T extends object>(measured: T): T => ({ ...measured, seconds: 0 });
const steps = (events: readonly FitEvent[]) => events.filter((event) => event.kind === "step").map(timeless);

/** 600 pictures: 450 to train on, in 15 batches an epoch, the last of them smaller. */
const sample = async (): Promise<Dataset> =>
  subset(
    await openDataset({ name: "fashion-mnist-sample", root: "", split: "train" }),
    Array.from({ length: 600 }, (_, i) => i),
  );

describe.each(["adam", "sgd"])("%s", (optimizer) => {
  test("a run stopped twice at odd places goes on to the last bit", async () => {
    const data = await sample();
    const straight = await train(data, { folder: await temporaryFolder(), optimizer });
    expect(steps(straight.events)).toHaveLength(EPOCHS * 15);

    const folder = await temporaryFolder();
    const parts = [
      await train(data, { folder, optimizer, until: 7 }),
      await train(data, { folder, optimizer, until: 41 }),
      await train(data, { folder, optimizer }),
    ];
    expect(parts.map(({ last }) => [last.progress.epoch, last.progress.batch, last.training.step])).toEqual([
      [0, 7, 7],
      [2, 11, 41],
      [EPOCHS, 0, EPOCHS * 15],
    ]);
    expect(parts.flatMap(({ events }) => steps(events))).toEqual(steps(straight.events));
    expect(comparable(parts[2].last)).toEqual(comparable(straight.last));
    expect(comparable(parts[2].best!)).toEqual(comparable(straight.best!));
    expect(straight.last.progress.history).toHaveLength(EPOCHS);
    expect(straight.last.progress.logs).toHaveLength((EPOCHS * 15) / 4);
    expect(Object.keys(straight.last.training.state)).toHaveLength(6);
    expect(Object.keys(straight.last.training.average!)).toHaveLength(14 + 6);
  });
});

test("the same seed is the same run, another is another", async () => {
  const data = await sample();
  const [first, second, other] = [
    await train(data, { folder: await temporaryFolder(), optimizer: "adam", until: 18 }),
    await train(data, { folder: await temporaryFolder(), optimizer: "adam", until: 18 }),
    await train(data, { folder: await temporaryFolder(), optimizer: "adam", until: 18, seed: 6 }),
  ];
  expect(comparable(second.last)).toEqual(comparable(first.last));
  expect(steps(second.events)).toEqual(steps(first.events));
  expect(steps(other.events).map((event) => event.kind === "step" && event.loss)).not.toEqual(
    steps(first.events).map((event) => event.kind === "step" && event.loss),
  );
});

test("a stop at an epoch's last step, and one before any, lose nothing", async () => {
  const data = await sample();
  const straight = await train(data, { folder: join(await temporaryFolder()), optimizer: "adam", until: 31 });
  const folder = await temporaryFolder();
  await train(data, { folder, optimizer: "adam", until: 1 });
  const atTheEnd = await train(data, { folder, optimizer: "adam", until: 15 });
  expect([atTheEnd.last.progress.epoch, atTheEnd.last.progress.batch, atTheEnd.last.progress.history.length]).toEqual([0, 15, 0]);
  const resumed = await train(data, { folder, optimizer: "adam", until: 31 });
  expect(comparable(resumed.last)).toEqual(comparable(straight.last));
});
