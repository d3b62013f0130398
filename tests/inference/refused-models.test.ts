import { describe, expect, test } from "vitest";
import { UsageError } from "../../core/errors.ts";
import type { ClassifierOptions } from "../../inference/classifier.ts";
import { load, metadata, model, picture, twoOutputs, using, withMetadata } from "./models.ts";

/** Metadata that no writer of ours would let pass. */
const nineCrop = Buffer.from(
  Buffer.from(withMetadata(model(), { views: "five-crop" }))
    .toString("latin1")
    .replace("five-crop", "nine-crop"),
  "latin1",
);

describe("models that do not fit", () => {
  const { labels, preprocess: spec } = metadata;
  const foreign = model();

  test("a file without metadata says what to give, and works with it", async () => {
    await expect(load(foreign, { name: "foreign.onnx" })).rejects.toThrow(UsageError);
    await expect(load(foreign, { name: "foreign.onnx" })).rejects.toThrow(
      "foreign.onnx carries no fivecrop metadata. To fix: give the options labels",
    );
    await expect(load(foreign, { labels })).rejects.toThrow("give the options preprocess");
    const { predictions } = await using(foreign, (c) => c.classify(picture(3)), { labels, preprocess: spec });
    expect(predictions[0].label).toBe("bottom");
  });

  test("options win over the file", async () => {
    const options = { labels: ["a", "b", "c", "d"], views: "flip" };
    const { predictions, views } = await using(withMetadata(model()), (c) => c.classify(picture(2)), options);
    expect([predictions[0].label, views.length]).toEqual(["c", 2]);
  });

  test.each<[string, Uint8Array, ClassifierOptions, string]>([
    [
      "another size",
      foreign,
      { labels, preprocess: { ...spec, crop: [8, 9] } },
      "its input 'images' takes float32 [N,1,8,8], the preprocessing makes float32 [N,1,8,9]",
    ],
    [
      "colour for gray",
      foreign,
      { labels, preprocess: { ...spec, channels: 3, mean: [0, 0, 0], std: [1, 1, 1] } },
      "makes float32 [N,3,8,8]",
    ],
    [
      "another number of labels",
      foreign,
      { labels: ["a"], preprocess: spec },
      "its output 'logits' is float32 [N,4], 1 labels need float32 [N,1]",
    ],
    [
      "several outputs, none of them named by metadata",
      twoOutputs(),
      { labels, preprocess: spec },
      "expected one output, a number for each class, found 2: logits, pixels. Which of them answers nothing in the file says. To fix: keep that one alone",
    ],
    ["a wrong spec", foreign, { labels, preprocess: { ...spec, std: [0] } }, "preprocess.std"],
    ["a batch size of 0", withMetadata(foreign), { batchSize: 0 }, "batchSize: expected a whole number of at least 1"],
    ["unknown views", withMetadata(foreign), { views: "six-crop" }, "unknown views 'six-crop'"],
    [
      "a picture",
      new TextEncoder().encode("GIF89a, a picture"),
      {},
      "the model: no ONNX model: expected a graph, found 17 bytes of something else (not a protocol buffers message",
    ],
    ["a batch that no memory holds", withMetadata(model(2 ** 31)), {}, "takes 2147483648 images at once, no fewer"],
    [
      "unknown views in the file",
      nineCrop,
      {},
      'the model: metadata: fivecrop.views: expected views, such as none or five-crop, found "nine-crop"',
    ],
    [
      "an empty file",
      new Uint8Array(0),
      {},
      "no ONNX model: expected a graph, found none in its 0 bytes. To fix: name an .onnx file that is there to its end.",
    ],
  ])("%s is refused", async (_, bytes, options, message) => {
    await expect(load(bytes, options)).rejects.toThrow(message);
  });

  test("outputs that are not numbers are an error, not an answer", async () => {
    const spoiled = withMetadata(model(), { preprocess: { ...spec, mean: [1e39] } });
    await expect(using(spoiled, (c) => c.classify(picture(0)))).rejects.toThrow("probabilities that are not numbers");
  });
});
