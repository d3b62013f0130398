import { expect, test } from "vitest";
import { createSession } from "../../core/session.node.ts";
import { float32, zeros } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import { createClassifier } from "../../inference/classifier.ts";
import { type EvaluationEvent, evaluate, evaluations } from "../../inference/evaluate.ts";
import { mean } from "../../inference/probabilities.ts";
import { verifyExport } from "../../inference/verify.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { inMemory } from "../../pipeline/dataset.ts";
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
      { label: "left", images: 3, accuracy: 1 },
      { label: "right", images: 4, accuracy: 0.75 },
      { label: "top", images: 3, accuracy: 1 },
      { label: "bottom", images: 0, accuracy: undefined },
    ]);
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
  ["another number of classes", ["a", "b"], "tells 4 classes apart, other has 2"],
  ["the same classes in another order", ["right", "left", "top", "bottom"], "class 0 is 'left' for the model and 'right' in other"],
])("a data set of %s is refused", async (_, classNames, message) => {
  const other = inMemory({ name: "other", classNames, images: images.slice(0, 1), labels: [0] });
  await using((classifier) => expect(evaluations(classifier, other)).rejects.toThrow(message));
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
