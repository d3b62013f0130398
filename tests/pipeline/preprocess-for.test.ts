import { expect, test } from "vitest";
import { FASHION_MNIST_PREPROCESS } from "../../pipeline/datasets/fashion-mnist.ts";
import { MINIPLACES_PREPROCESS } from "../../pipeline/datasets/miniplaces.ts";
import { preprocessFor } from "../../pipeline/preprocess-for.ts";
import { PRESETS } from "../../pipeline/presets.ts";

test("a data set's preprocessing as it is, where the network takes its images", () => {
  expect(preprocessFor(MINIPLACES_PREPROCESS, [3, 64, 64])).toBe(MINIPLACES_PREPROCESS);
});

test("photos keep their shape: the shorter side is resized in proportion to the crop", () => {
  expect(preprocessFor(PRESETS.imagenet, [3, 64, 64])).toMatchObject({ resize: 73, crop: [64, 64] });
  expect(preprocessFor(FASHION_MNIST_PREPROCESS, [1, 224, 224])).toMatchObject({ resize: 224, crop: [224, 224] });
  expect(preprocessFor(PRESETS.imagenet, [3, 64, 96])).toMatchObject({ resize: [64, 96], crop: [64, 96] });
});

test("colour becomes gray and gray colour, with one mean", () => {
  const gray = preprocessFor(PRESETS.imagenet, [1, 28, 28]);
  expect([gray.channels, gray.mean.length, gray.std.length]).toEqual([1, 1, 1]);
  expect(preprocessFor(FASHION_MNIST_PREPROCESS, [3, 28, 28])).toMatchObject({ channels: 3, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] });
});
