import { describe, expect, test } from "vitest";
import { createClassifier } from "../../inference/classifier.ts";
import { createImage, type Image } from "../../pipeline/image.ts";
import { parseViews } from "../../pipeline/views.ts";
import { brightnessModel, HERE, model, picture, SIDE, withMetadata } from "./models.ts";

/** Dark, with a bright square at the upper left and a less bright one at the lower right. */
function spots(size = 16): Image {
  const data = new Uint8Array(size * size).fill(20);
  for (let y = 0; y < size / 4; y++)
    for (let x = 0; x < size / 4; x++) {
      data[y * size + x] = 250;
      data[(size - 1 - y) * size + size - 1 - x] = 190;
    }
  return createImage(size, size, 1, data);
}
const load = (bytes = brightnessModel(), options = {}) => createClassifier(bytes, HERE, { name: "m.onnx", ...options });

describe("classify with explain", () => {
  test("the places that speak for a class, on the picture", async () => {
    const classifier = await load();
    const plain = await classifier.classify(spots());
    expect(plain.explanation).toBeUndefined();
    const { explanation, ...rest } = await classifier.classify(spots(), { explain: { class: "bright" } });
    expect(rest).toEqual(plain);
    expect(explanation).toMatchObject({ label: "bright", classIndex: 0, layer: "map", width: 16, height: 16 });
    const at = (x: number, y: number) => explanation!.data[y * 16 + x];
    expect(at(0, 0)).toBe(1);
    const level = (value: number) => (value / 255 - 0.5) / 0.25;
    expect(at(15, 15)).toBeCloseTo(level(190) / level(250), 5);
    expect(at(15, 0)).toBe(0);
    expect(at(8, 8)).toBe(0);
    await classifier.dispose();
  });

  test("the most probable class where none is named", async () => {
    const classifier = await load();
    const { explanation, predictions } = await classifier.classify(spots(), { explain: true });
    expect(predictions[0].label).toBe("dark");
    expect(explanation).toMatchObject({ label: "dark", classIndex: 1 });
    expect(explanation!.data[0]).toBe(0);
    expect(explanation!.data[15]).toBeCloseTo(1, 5);
    expect((await classifier.classify(spots(), { explain: { class: 1 } })).explanation).toEqual(explanation);
    await classifier.dispose();
  });

  test.each(["flip", "five-crop", "ten-crop", "multi-scale:8,10"])("%s: the mean of the views at their places", async (views) => {
    const classifier = await load();
    const { explanation } = await classifier.classify(spots(), { views, explain: { class: "bright" } });
    const { data } = explanation!;
    const brightest = data.indexOf(Math.max(...data));
    expect([brightest % 16 < 5, Math.floor(brightest / 16) < 5]).toEqual([true, true]);
    expect(data[15]).toBeLessThan(0.05);
    await classifier.dispose();
  });

  test("a fixed batch is filled up, small batches follow one another: the same map", async () => {
    const views = parseViews("five-crop");
    const maps = await Promise.all(
      [load(), load(brightnessModel(1)), load(brightnessModel(4)), load(brightnessModel(), { batchSize: 2 })].map(async (loading) => {
        const classifier = await loading;
        const { explanation } = await classifier.classify(spots(), { views, explain: { class: "bright" } });
        await classifier.dispose();
        return explanation!;
      }),
    );
    for (const { data } of maps.slice(1)) expect(Math.max(...data.map((value, i) => Math.abs(value - maps[0].data[i])))).toBeLessThan(1e-5);
  });

  test("many at once, and in a batch: each its own, in order", async () => {
    const classifier = await load();
    const images = [spots(), spots(32), picture(0), picture(3)];
    const asked = await Promise.all(images.map((image) => classifier.classify(image, { explain: true })));
    expect(asked.map(({ explanation }) => explanation!.width)).toEqual([16, 32, 12, 12]);
    const batch = await classifier.classifyBatch(images, { explain: true });
    expect(batch.map(({ explanation }) => explanation)).toEqual(asked.map(({ explanation }) => explanation));
    await classifier.dispose();
  });

  test("another layer, by name", async () => {
    const classifier = await load();
    const { explanation } = await classifier.classify(spots(), { explain: { class: "bright", layer: "signs" } });
    expect(explanation).toMatchObject({ layer: "signs", width: 16 });
    await expect(classifier.classify(spots(), { explain: { layer: "sings" } })).rejects.toThrow(
      "m.onnx: layer: there is no node 'sings'. The nearest names are 'signs'",
    );
    expect((await classifier.classify(spots(), { explain: true })).explanation).toMatchObject({ layer: "map" });
    await classifier.dispose();
  });
});

describe("what cannot be explained", () => {
  test("a class that is none", async () => {
    const classifier = await load();
    await expect(classifier.classify(spots(), { explain: { class: "bight" } })).rejects.toThrow(
      "class: m.onnx has no class 'bight'. The nearest are 'bright'.",
    );
    for (const index of [2, -1, 0.5])
      await expect(classifier.classify(spots(), { explain: { class: index } })).rejects.toThrow(
        `class: expected an index from 0 to 1, received ${index}`,
      );
    await classifier.dispose();
  });

  test("a model without a map of features still answers", async () => {
    const classifier = await load(withMetadata(model()));
    await expect(classifier.classify(picture(0), { explain: true })).rejects.toThrow("m.onnx: expected a map of features");
    expect((await classifier.classify(picture(0))).predictions[0].label).toBe("left");
    await classifier.dispose();
  });

  test("after the classifier's end", async () => {
    const classifier = await load();
    const [first, ...others] = Array.from({ length: 3 }, () => classifier.classify(spots(SIDE), { explain: true }));
    const settled = Promise.allSettled(others);
    await first;
    await classifier.dispose();
    for (const one of await settled)
      if (one.status === "rejected") expect(one.reason.message).toContain("m.onnx: the classifier was disposed of");
    await expect(classifier.classify(spots(), { explain: true })).rejects.toThrow("disposed of");
  });
});
