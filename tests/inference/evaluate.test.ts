import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { UsageError } from "../../core/errors.ts";
import { createSession } from "../../core/session.node.ts";
import { float32, zeros } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { abstains } from "../../inference/abstain.ts";
import { wilsonInterval } from "../../inference/calibration.ts";
import { loadClassifier } from "../../inference/classifier.node.ts";
import { createClassifier } from "../../inference/classifier.ts";
import { type EvaluationEvent, evaluate, evaluations } from "../../inference/evaluate.ts";
import { mean } from "../../inference/probabilities.ts";
import { verifyExport } from "../../inference/verify.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { inMemory, subset } from "../../pipeline/dataset.ts";
import { openDataset } from "../../pipeline/datasets/index.ts";
import { encodePng } from "../../pipeline/encode.node.ts";
import type { Image } from "../../pipeline/image.ts";
import { parseViews } from "../../pipeline/views.ts";
import { normal, run } from "../export/graphs.ts";
import { HERE, LABELS, model, picture, SIDE, withMetadata } from "./models.ts";

const images = Array.from({ length: 10 }, (_, i) => picture(i % 3, i, 20, 16));
/** No picture is of class 3; picture 9 is of class 0 and labelled 1. */
const labels = images.map((_, i) => (i === 9 ? 1 : i % 3));
const dataset = inMemory({ name: "halves", classNames: LABELS, images, labels });

async function using<T>(ask: (classifier: Awaited<ReturnType<typeof createClassifier<Image>>>) => Promise<T>): Promise<T> {
  const classifier = await createClassifier<Image>(withMetadata(model()), HERE);
  try {
    return await ask(classifier);
  } finally {
    await classifier.dispose();
  }
}

test("accuracy, confusion and loss are those of the single answers", () =>
  using(async (classifier) => {
    const [evaluation] = await evaluations(classifier, dataset);
    const answers = await classifier.classifyBatch(images);
    expect(answers.map(({ predictions }) => predictions[0].classIndex)).toEqual(images.map((_, i) => i % 3));
    expect(evaluation).toMatchObject({ views: "none", images: 10, top1: 0.9, top5: 1 });
    expect(evaluation.confusion).toEqual([
      [3, 0, 0, 0],
      [1, 3, 0, 0],
      [0, 0, 3, 0],
      [0, 0, 0, 0],
    ]);
    expect(evaluation.perClass).toEqual([
      { label: "left", images: 3, accuracy: 1, interval: wilsonInterval(1, 3) },
      { label: "right", images: 4, accuracy: 0.75, interval: wilsonInterval(0.75, 4) },
      { label: "top", images: 3, accuracy: 1, interval: wilsonInterval(1, 3) },
      { label: "bottom", images: 0, accuracy: undefined, interval: undefined },
    ]);
    expect([evaluation.top1Interval, evaluation.top5Interval]).toEqual([wilsonInterval(0.9, 10), wilsonInterval(1, 10)]);
    const loss = answers.reduce((sum, { probabilities }, i) => sum - Math.log(probabilities[labels[i]]), 0) / 10;
    expect(evaluation.loss).toBeCloseTo(loss, 5);
  }));

test("several views in one pass give what each gives alone, and crops that they share are computed once", () =>
  using(async (classifier) => {
    const views = ["none", "flip", "five-crop", "ten-crop"];
    const counts: number[] = [];
    const counting: typeof classifier = {
      ...classifier,
      probabilities: (sources, distinct) => {
        counts.push(distinct.length);
        return classifier.probabilities(sources, distinct);
      },
    };
    const together = await evaluations(counting, dataset, { views, batchSize: 4 });
    expect(counts).toEqual([12, 12, 12]);
    expect(together.map((evaluation) => evaluation.views)).toEqual(views);
    for (const evaluation of together) {
      const [alone] = await evaluations(classifier, dataset, { views: evaluation.views });
      const { seconds: _, imagesPerSecond: __, ...same } = alone;
      expect(evaluation).toMatchObject({ ...same, loss: expect.closeTo(alone.loss, 6) });
    }
  }));

test("top 5 of more classes", async () => {
  const names = ["a", "b", "c", "d", "e", "f", "g"];
  const g = graphBuilder();
  const flat = g.add("Flatten", [g.input("images", "float32", ["N", 1, SIDE, SIDE])]);
  const bias = float32(names.map((_, i) => Math.log(7 - i)));
  const logits = g.add("Gemm", [flat, g.initializer("weight", zeros("float32", [SIDE * SIDE, 7])), g.initializer("bias", bias)]);
  const bytes = withMetadata(serialize(g.build("constant", [logits])), { labels: names });
  const classifier = await createClassifier<Image>(bytes, HERE);
  const many = inMemory({ name: "many", classNames: names, images: images.slice(0, 2), labels: [6, 4] });
  const [{ top1, top5, loss }] = await evaluations(classifier, many);
  await classifier.dispose();
  expect([top1, top5]).toEqual([0, 0.5]);
  expect(loss).toBeCloseTo((-Math.log(1 / 28) - Math.log(3 / 28)) / 2, 6);
});

test("what several views fix and break against none, image by image", () =>
  using(async (classifier) => {
    const views = ["flip", "none", "five-crop"];
    const found = await evaluations(classifier, dataset, { views, batchSize: 4 });
    const right = await Promise.all(
      views.map(async (name) =>
        (await classifier.classifyBatch(images, { views: name })).map(({ predictions }, i) => predictions[0].classIndex === labels[i]),
      ),
    );
    const among = (k: number, now: boolean) => right[k].filter((yes, i) => yes === now && right[1][i] !== now).length;
    expect(found.map(({ againstNone }) => againstNone)).toEqual([
      { fixed: among(0, true), broke: among(0, false) },
      undefined,
      { fixed: among(2, true), broke: among(2, false) },
    ]);
    expect(found[0].againstNone?.broke).toBeGreaterThan(0); // a mirror makes left right
    for (const { top1, againstNone } of found)
      if (againstNone) expect(10 * top1).toBeCloseTo(10 * found[1].top1 + againstNone.fixed - againstNone.broke, 9);
    const [alone] = await evaluations(classifier, dataset, { views: "five-crop" });
    expect(alone).not.toHaveProperty("againstNone");
  }));

test("where improbable answers are not sure: what is left, image by image", () =>
  using(async (classifier) => {
    const answers = (await classifier.classifyBatch(images, { views: "none" })).map(({ predictions: [best] }) => best);
    const sorted = answers.map(({ probability }) => probability).sort((a, b) => a - b);
    const abstainBelow = (sorted[3] + sorted[4]) / 2;
    const [{ abstention, coverage }] = await evaluations(classifier, dataset, { abstainBelow });
    const given = answers.flatMap(({ classIndex, probability }, i) => (probability >= abstainBelow ? [classIndex === labels[i]] : []));
    const right = given.filter(Boolean).length;
    expect(abstention).toEqual({
      below: abstainBelow,
      images: 6,
      coverage: 0.6,
      accuracy: right / 6,
      interval: wilsonInterval(right / 6, 6),
    });
    expect(coverage[0]).toEqual({ below: 0, images: 10, coverage: 1, accuracy: 0.9, interval: wilsonInterval(0.9, 10) });
    for (const { below, images: answered, accuracy } of coverage) {
      expect(answered).toBe(sorted.filter((probability) => probability >= below).length);
      expect(accuracy === undefined).toBe(answered === 0);
    }
    const [without] = await evaluations(classifier, dataset);
    expect(without).not.toHaveProperty("abstention");
    for (const wrong of [0, -0.1, 1.01, Number.NaN])
      await expect(evaluations(classifier, dataset, { abstainBelow: wrong })).rejects.toThrow(UsageError);
    const [first] = await classifier.classifyBatch(images.slice(0, 1));
    const [{ probability }] = first.predictions;
    expect([abstains(first.predictions, probability), abstains(first.predictions, probability + 1e-9)]).toEqual([false, true]);
    expect(() => abstains(first.predictions, 60)).toThrow("expected a probability above 0 and at most 1, received 60");
  }));

test("progress after each batch, then the result; time comes from the caller's clock", () =>
  using(async (classifier) => {
    const events: EvaluationEvent[] = [];
    let time = -500;
    const clock = () => {
      time += 500;
      return time;
    };
    for await (const event of evaluate(classifier, dataset, { batchSize: 4, now: clock })) events.push(event);
    expect(events.map((event) => (event.kind === "progress" ? [event.done, event.total, event.imagesPerSecond] : event.kind))).toEqual([
      [4, 10, 8],
      [8, 10, 8],
      [10, 10, 10 / 1.5],
      "result",
    ]);
    const last = events[3];
    expect(last.kind === "result" && last.evaluations[0]).toMatchObject({ seconds: 2, imagesPerSecond: 5 });
  }));

test.each([
  ["other classes", ["a", "b"], "2 of its 2 classes (a, b) are none of the model's 4 (left, right, top, …)"],
  ["one other class", ["left", "right", "top", "under"], "1 of its 4 classes (under) are none of the model's 4"],
  ["more classes", [...LABELS, "none"], "1 of its 5 classes (none)"],
])("a data set of %s is refused", async (_, classNames, message) => {
  const other = inMemory({ name: "other", classNames, images: images.slice(0, 1), labels: [0] });
  await using((classifier) => expect(evaluations(classifier, other)).rejects.toThrow(message));
});

test.each([
  ["in another order", ["bottom", "right", "left", "top"]],
  ["that are some of the model's", ["top", "left", "right"]],
])("classes %s are matched by name", (_, classNames) =>
  using(async (classifier) => {
    const moved = labels.map((label) => classNames.indexOf(LABELS[label]));
    const [evaluation] = await evaluations(classifier, inMemory({ name: "moved", classNames, images, labels: moved }));
    const [expected] = await evaluations(classifier, dataset);
    const { seconds: _seconds, imagesPerSecond: _rate, ...same } = expected;
    expect(evaluation).toMatchObject(same);
    expect(evaluation.top1).toBe(0.9);
  }),
);

test("a name that two of the model's classes have is refused", async () => {
  const classifier = await createClassifier<Image>(withMetadata(model(), { labels: ["left", "right", "left", "bottom"] }), HERE);
  const other = inMemory({ name: "other", classNames: ["left", "right"], images: images.slice(0, 1), labels: [0] });
  await expect(evaluations(classifier, other)).rejects.toThrow("its class 'left' is the name of several of the model's classes");
  await classifier.dispose();
});

describe("pictures that are files", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "fivecrop-evaluate-"));
    for (let i = 0; i < 40; i++) {
      const name = join(folder, LABELS[i % 4], `${String(i).padStart(2, "0")}.png`);
      await mkdir(dirname(name), { recursive: true });
      await writeFile(name, i === 17 ? "no picture" : await encodePng(picture(i % 4, i, 20, 16)));
    }
    await writeFile(join(folder, "left", "00.png"), await encodePng(picture(1, 0, 20, 16))); // one that is wrong
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test("are read by the classifier's own threads; one that cannot be read is reported, in its place, and counts nowhere", async () => {
    const files = await openDataset({ name: `folder:${folder}`, root: "", split: "all" });
    const classifier = await loadClassifier(withMetadata(model()), { workers: 2 });
    try {
      const events: EvaluationEvent[] = [];
      const watched = { classify: vi.fn(classifier.classify) };
      for await (const event of evaluate(classifier, files, { views: ["none", "five-crop"], files: watched, batchSize: 10 }))
        events.push(event);
      expect(watched.classify.mock.calls.map(([file]) => file)).toEqual(Array.from({ length: 40 }, (_, i) => files.file!(i)));
      expect(events.map(({ kind }) => kind)).toEqual(["progress", "progress", "unreadable", "progress", "progress", "result"]);
      expect(events[2]).toMatchObject({
        file: join(folder, "right", "17.png"),
        message: expect.stringContaining("17.png: cannot be read as a picture"),
      });
      const last = events[5];
      if (last.kind !== "result") throw new Error("expected the result");
      expect(last.evaluations[0]).toMatchObject({ images: 39, unreadable: 1, top1: 38 / 39 });
      expect(last.evaluations[0].confusion[0]).toEqual([9, 1, 0, 0]);

      const readable = subset(
        files,
        Array.from({ length: 40 }, (_, i) => i).filter((i) => !files.file!(i).endsWith("17.png")),
      );
      const [here] = await evaluations(classifier, readable, { views: "five-crop" });
      expect(last.evaluations[1].confusion).toEqual(here.confusion);
      expect(last.evaluations[1].loss).toBeCloseTo(here.loss, 5);
    } finally {
      await classifier.dispose();
    }
  });

  test("none that can be read is an error", async () => {
    const files = await openDataset({ name: `folder:${folder}`, root: "", split: "all" });
    const bad = subset(files, [Array.from({ length: 40 }, (_, i) => i).find((i) => files.file!(i).endsWith("17.png"))!]);
    const classifier = await loadClassifier(withMetadata(model()), { workers: 0 });
    await expect(evaluations(classifier, bad, { files: classifier })).rejects.toThrow("none of its 1 pictures can be read");
    await classifier.dispose();
  });
});

test("a batch size of 0, no views or unknown views are refused", () =>
  using(async (classifier) => {
    await expect(evaluations(classifier, dataset, { batchSize: 0 })).rejects.toThrow("batchSize");
    await expect(evaluations(classifier, dataset, { views: [] })).rejects.toThrow("at least one name");
    await expect(evaluations(classifier, dataset, { views: "nine-crop" })).rejects.toThrow("unknown views 'nine-crop'");
  }));

test("the mean over views is what classify gives", () =>
  using(async (classifier) => {
    const lists = await classifier.probabilities([() => images[0]], parseViews("flip"));
    const { probabilities } = await classifier.classify(images[0], { views: "flip" });
    expect([...probabilities]).toEqual([...Float32Array.from(mean(lists[0]))]);
  }));

test("verify passes what is equal after softmax, and refuses what is not, with the number", async () => {
  const inputs = normal([6, 1, SIDE, SIDE], 1);
  const bytes = withMetadata(model());
  const { logits } = await run(bytes, { images: inputs });
  const options = { createSession, images: inputs, expected: logits };
  expect((await verifyExport(bytes, options)).largestDifference).toBeLessThan(1e-7);
  const shifted = float32(
    (logits.data as Float32Array).map((x) => x + 5),
    logits.shape,
  );
  expect((await verifyExport(bytes, { ...options, expected: shifted })).largestDifference).toBeLessThan(1e-5);
  expect((await verifyExport(model("N", "LogSoftmax"), { ...options, outputKind: "log-probabilities" })).largestDifference).toBeLessThan(
    1e-6,
  );
  const spoiled = float32(
    (logits.data as Float32Array).map((x, i) => (i === 13 ? x + 0.01 : x)),
    logits.shape,
  );
  await expect(verifyExport(bytes, { ...options, expected: spoiled })).rejects.toThrow(
    /differs from the trained network by \d\.\d\de-4 in a probability of image 3/,
  );
  expect((await verifyExport(bytes, { ...options, expected: spoiled, tolerance: 0.01 })).largestDifference).toBeGreaterThan(1e-4);
  await expect(verifyExport(bytes, { ...options, expected: float32([1, 2, 3, 4], [1, 4]) })).rejects.toThrow(
    "[6,4], the trained network [1,4]",
  );
});
