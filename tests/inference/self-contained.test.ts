import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../../core/errors.ts";
import { appendMetadata, readMetadata } from "../../export/metadata.ts";
import { selfContained } from "../../export/self-contained.ts";
import { loadClassifier, type NodeClassifierOptions } from "../../inference/classifier.node.ts";
import type { Classifier } from "../../inference/classifier.ts";
import { evaluations } from "../../inference/evaluate.ts";
import type { ImageSource } from "../../inference/image-source.node.ts";
import { inMemory } from "../../pipeline/dataset.ts";
import { encodePng } from "../../pipeline/encode.node.ts";
import { parseViews } from "../../pipeline/views.ts";
import { temporaryFolder } from "../cli/run.ts";
import { LABELS, metadata, model, picture } from "./models.ts";

const whole = (views: string): Uint8Array => selfContained(model(), { metadata, views });
/** Of other sizes each, upright and lying, so that they cannot share a batch. */
const images = [0, 1, 2, 3].map((k) => picture(k, k, 20 + 7 * k, 31 - 5 * k));

let ordinary: Classifier<ImageSource>;
let flipping: Classifier<ImageSource>;
beforeAll(async () => {
  ordinary = await loadClassifier(appendMetadata(model(), metadata), { workers: 0 });
  flipping = await loadClassifier(whole("flip"));
});
afterAll(() => Promise.all([ordinary.dispose(), flipping.dispose()]));

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));

describe("a classifier of a self-contained file", () => {
  test("answers pictures of any size as the ordinary path does, whatever they come as", async () => {
    const file = join(await temporaryFolder(), "picture.png");
    const bytes = await encodePng(images[1]);
    await writeFile(file, bytes);
    const asked = [images[0], file, bytes, ...images];
    const expected = await ordinary.classifyBatch(asked, { views: "flip", top: 2 });
    const found = await flipping.classifyBatch(asked, { top: 2 });
    found.forEach(({ predictions, probabilities, views }, i) => {
      expect(largestDifference(probabilities, expected[i].probabilities)).toBeLessThan(1e-3);
      expect(predictions.map(({ label }) => label)).toEqual(expected[i].predictions.map(({ label }) => label));
      expect(views).toEqual([]);
    });
    expect(images[0].data.length).toBeGreaterThan(0); // an image of the caller's is not given away
    expect(flipping).toMatchObject({ labels: LABELS, views: "flip", temperature: 1, device: "cpu" });
  });

  test("of one view that view says the same", async () => {
    const classifier = await loadClassifier(whole("none"), { workers: 0 });
    const { predictions, views } = await classifier.classify(images[2], { views: "none" });
    expect(views.map(({ view, predictions: own }) => [view, own])).toEqual([[parseViews("none")[0], predictions]]);
    await classifier.dispose();
    await expect(classifier.classify(images[2])).rejects.toThrow("the classifier was disposed of");
  });

  test("is evaluated, by its own views", async () => {
    const dataset = inMemory({ name: "halves", classNames: LABELS, images, labels: [0, 1, 2, 0] });
    const [found] = await evaluations(flipping, dataset);
    const [expected] = await evaluations(ordinary, dataset, { views: "flip" });
    expect(found).toMatchObject({ views: "flip", images: 4, top1: expected.top1, confusion: expected.confusion });
    expect(found.loss).toBeCloseTo(expected.loss, 2);
    await expect(evaluations(flipping, dataset, { views: ["none", "flip"] })).rejects.toThrow(
      "the model is self-contained, its graph averages over flip itself; received none, flip",
    );
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ["other views", () => flipping.classify(images[0], { views: "five-crop" }), "its graph averages over flip itself, other views"],
    ["an explanation", () => flipping.classify(images[0], { explain: true }), "an explanation was asked for"],
    ["no prediction", () => flipping.classify(images[0], { top: 0 }), "top: expected a whole number of at least 1"],
    ["other views of its own", () => load({ views: "none" }), "its graph averages over flip itself, other views"],
    ["another preprocessing", () => load({ preprocess: metadata.preprocess }), "its graph has its own preprocess"],
    ["a temperature", () => load({ temperature: 2 }), "its graph has its own temperature"],
    ["another device", () => load({ device: "webgpu" }), "its graph resizes 8-bit pictures, for which webgpu has no operators"],
    ["pictures at a reduced size", () => load({ shrinkOnLoad: true }), "shrinkOnLoad was asked for"],
  ])("refuses %s", async (_, ask, message) => {
    const error = await ask().catch((thrown: Error) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain(message);
  });

  test("and a file that is self-contained by its metadata alone", async () => {
    const bytes = appendMetadata(model(), { ...readMetadata(whole("flip"))! });
    await expect(loadClassifier(bytes, { workers: 0, name: "m.onnx" })).rejects.toThrow(
      /^m\.onnx is self-contained by its metadata: expected uint8 \[N,H,W,1\] in and float32 \[N,4\] out, found float32 \[/,
    );
  });
});

const load = (options: NodeClassifierOptions) => loadClassifier(whole("flip"), { workers: 0, ...options });
