import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, describe, expect, test } from "vitest";
import { PictureError, UsageError } from "../../core/errors.ts";
import { createSession } from "../../core/session.node.ts";
import { numbersOf } from "../../core/tensor.ts";
import { loadClassifier } from "../../inference/classifier.node.ts";
import type { ClassifierOptions, ClassifyOptions } from "../../inference/classifier.ts";
import { largest, mean, rankOf, softmax } from "../../inference/probabilities.ts";
import { flipHorizontal, type Image } from "../../pipeline/image.ts";
import { preprocess } from "../../pipeline/preprocess.ts";
import { VIEWS, type View, viewImage } from "../../pipeline/views.ts";
import { LABELS, metadata, model, picture, using, withMetadata } from "./models.ts";

const folder = mkdtempSync(join(tmpdir(), "fivecrop-inference-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The network's logits for one picture, step by step. */
async function logitsOf(image: Image): Promise<number[]> {
  const session = await createSession(model());
  const { logits } = await session.run({ images: preprocess(image, metadata.preprocess) });
  await session.dispose();
  return numbersOf(logits);
}

describe("numbers", () => {
  test("softmax of logits that exp cannot hold", () => {
    expect([...softmax([1000, 1000])]).toEqual([0.5, 0.5]);
    expect([...softmax([-1000, 0])]).toEqual([0, 1]);
  });
  test("ties go to the smaller index, everywhere alike", () => {
    expect(largest([1, 3, 3, 0], 3)).toEqual([1, 2, 0]);
    expect([0, 1, 2, 3].map((i) => rankOf([1, 3, 3, 0], i))).toEqual([2, 0, 1, 3]);
  });
  test("the mean of lists", () => expect([...mean([Float64Array.of(0, 1), Float64Array.of(1, 0.5)])]).toEqual([0.5, 0.75]));
});

describe("classify", () => {
  test("one view: softmax of the logits, best first", async () => {
    const image = picture(2, 1);
    const expected = softmax(await logitsOf(image));
    const { predictions, probabilities, views } = await using(withMetadata(model()), (c) => c.classify(image, { top: 2 }));
    expect(predictions).toHaveLength(2);
    expect(predictions[0]).toMatchObject({ label: "top", classIndex: 2 });
    expect(predictions[0].probability).toBeCloseTo(expected[2], 6);
    expected.forEach((p, k) => {
      expect(probabilities[k]).toBeCloseTo(p, 6);
    });
    expect(views).toHaveLength(1);
  });

  test.each(["flip", "five-crop", "ten-crop"] as const)("%s: the mean of each view's softmax", async (name) => {
    const image = picture(0, 2, 30, 20);
    const { preprocess: spec } = metadata;
    const alone = await Promise.all(VIEWS[name].map(async (view) => softmax(await logitsOf(viewImage(image, view, spec)))));
    const { probabilities, views } = await using(withMetadata(model(), { views: name }), (c) => c.classify(image));
    expect(views.map(({ view }) => view)).toEqual(VIEWS[name]);
    views.forEach((view, i) => {
      view.probabilities.forEach((p, k) => {
        expect(p).toBeCloseTo(alone[i][k], 6);
      });
    });
    mean(alone).forEach((p, k) => {
      expect(probabilities[k]).toBeCloseTo(p, 6);
    });
  });

  test("flip gives a picture and its mirror the same answer, but for left and right", async () => {
    const image = picture(0, 3);
    const [a, b] = await using(withMetadata(model()), (c) => c.classifyBatch([image, flipHorizontal(image)], { views: "flip" }));
    expect([...a.probabilities]).toEqual([...b.probabilities]);
  });

  test.each([
    ["Softmax", "probabilities"],
    ["LogSoftmax", "log-probabilities"],
  ] as const)("a model that ends in %s", async (last, outputKind) => {
    const image = picture(1, 4);
    const expected = await using(withMetadata(model()), (c) => c.classify(image));
    const found = await using(withMetadata(model("N", last), { outputKind }), (c) => c.classify(image));
    found.probabilities.forEach((p, k) => {
      expect(p).toBeCloseTo(expected.probabilities[k], 6);
    });
  });

  const images = Array.from({ length: 7 }, (_, i) => picture(i % 4, i));
  test.each<[string, Uint8Array, ClassifierOptions]>([
    ["in batches of 64", withMetadata(model()), {}],
    ["in batches smaller than one picture's views", withMetadata(model()), { batchSize: 2 }],
    ["a fixed batch of 1", withMetadata(model(1)), {}],
    ["a fixed batch of 3, which 35 crops do not fill", withMetadata(model(3)), {}],
  ])("many pictures, %s: each as if alone", async (_, bytes, options) => {
    const together = await using(bytes, (c) => c.classifyBatch(images, { views: "five-crop" }), options);
    expect(together).toHaveLength(7);
    for (const [i, image] of images.entries()) {
      const alone = await using(withMetadata(model()), (c) => c.classify(image, { views: "five-crop" }));
      alone.probabilities.forEach((p, k) => {
        expect(together[i].probabilities[k]).toBeCloseTo(p, 6);
      });
      expect(together[i].predictions[0].classIndex).toBe(i % 4);
    }
    expect(await using(bytes, (c) => c.classifyBatch([]), options)).toEqual([]);
  });

  test("more predictions than classes: all of them", async () => {
    const { predictions } = await using(withMetadata(model()), (c) => c.classify(picture(0), { top: 99 }));
    expect(predictions.map(({ label }) => label).sort()).toEqual([...LABELS].sort());
  });

  test.each([
    [{ top: 0 }, "top: expected a whole number of at least 1, received 0"],
    [{ views: [] }, "expected at least one view"],
    [{ views: [{ anchor: "middle", flip: false }] }, "views[0].anchor: expected one of center, upper-left"],
    [{ views: [VIEWS.none[0], { anchor: "center", flip: false, resize: 0 }] }, "views[1].resize: expected a whole number of pixels from 1"],
    [{ views: [{ anchor: "center", flip: false, resize: -5 }] }, "received -5"],
    [{ views: [{ anchor: "center", flip: false, resize: Number.NaN }] }, "received NaN"],
    [{ views: [{ anchor: "center", flip: false, resize: "Roomy" }] }, "\"roomy\", or nothing, received 'Roomy'"],
    [{ views: [{ anchor: "center" }] }, "views[0].flip: expected true or false, received undefined"],
    [{ views: [{ anchor: "center", flip: false, resise: 9 }] }, "resise"],
    [{ views: ["flip"] }, "views[0]: expected an object"],
    [{ views: null }, "expected a name or a list of views, received null"],
    [{ views: "five-corp" }, "Did you mean 'five-crop'?"],
  ])("options %j are refused", async (options, message) => {
    await expect(using(withMetadata(model()), (c) => c.classify(picture(0), options as ClassifyOptions))).rejects.toThrow(message);
  });
});

test("probabilities() refuses views that are none", async () => {
  const views = [{ anchor: "middle", flip: false }] as unknown as readonly View[];
  await expect(using(withMetadata(model()), (c) => c.probabilities([picture(0)], views))).rejects.toThrow(UsageError);
});

describe("in Node", () => {
  test("paths, bytes and images get one answer; a missing file is named", async () => {
    const [modelPath, picturePath] = [join(folder, "model.onnx"), join(folder, "top.png")];
    const image = picture(2, 5);
    const { width, height, channels } = image;
    const bytes = new Uint8Array(await sharp(image.data, { raw: { width, height, channels } }).png().toBuffer());
    writeFileSync(modelPath, withMetadata(model()));
    writeFileSync(picturePath, bytes);
    const classifier = await loadClassifier(modelPath);
    const answers = await classifier.classifyBatch([picturePath, bytes, image], { views: "five-crop" });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    await expect(classifier.classify(join(folder, "none.png"))).rejects.toThrow("none.png");
    await expect(classifier.classify(new TextEncoder().encode("text"))).rejects.toThrow("the picture: ");
    await classifier.dispose();
    await expect(loadClassifier(join(folder, "none.onnx"))).rejects.toThrow("none.onnx");
  });

  test.each([0, 1])("decoded pixels that are none are refused, %i workers", async (workers) => {
    const classifier = await loadClassifier(withMetadata(model()), { workers });
    const wrong: readonly [unknown, string][] = [
      [{ width: 2, height: 2, channels: 4, data: new Uint8Array(16) }, "received 4"],
      [{ width: 2, height: 2, channels: 1, data: new Float32Array(4) }, "Float32Array"],
      [{ width: 2, height: 2, data: new Uint8Array(16), draw: () => 0 }, "received undefined"],
      [undefined, "received undefined"],
    ];
    for (const [image, message] of wrong) {
      await expect(classifier.classify(image as Image)).rejects.toThrow(PictureError);
      await expect(classifier.classifyBatch([image as Image])).rejects.toThrow(message);
    }
    await expect(classifier.probabilities([() => wrong[0][0] as Image], VIEWS.none)).rejects.toThrow("received 4");
    await classifier.dispose();
  });
});
