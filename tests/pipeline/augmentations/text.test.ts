import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../core/errors.ts";
import { AUGMENTATIONS } from "../../../pipeline/augmentations/index.ts";
import { augmentationLines, defaultsOf, parseAugmentations, usageOf } from "../../../pipeline/augmentations/text.ts";

describe("augmentations as text", () => {
  test("all parameters, numbers left out with their defaults, a number behind a comma to the kind before it", () => {
    expect(parseAugmentations("flip,random-crop:4,color-jitter:0.4,0.3,0.2,0.1,mixup:.2,cutmix")).toEqual([
      { kind: "flip" },
      { kind: "random-crop", padding: 4 },
      { kind: "color-jitter", brightness: 0.4, contrast: 0.3, saturation: 0.2, hue: 0.1 },
      { kind: "mixup", alpha: 0.2, probability: 1 },
      { kind: "cutmix", alpha: 1, probability: 1 },
    ]);
    expect(parseAugmentations("random-resized-crop:0.25,cutout,rand-augment:1,14")).toEqual([
      { kind: "random-resized-crop", scale: [0.25, 1], ratio: [3 / 4, 4 / 3] },
      { kind: "cutout", size: 16 },
      { kind: "rand-augment", operations: 1, magnitude: 14 },
    ]);
  });

  test.each([
    ["", "unknown augmentation ''"],
    ["flop", "unknown augmentation 'flop'. Did you mean 'flip'?"],
    ["randaugment", "Did you mean 'rand-augment'?"],
    ["flip,", "unknown augmentation ''"],
    ["flip:2", "--augment: expected flip, received 'flip:2'."],
    ["flip,2", "--augment: expected flip, received 'flip,2'."],
    ["random-crop", "--augment: expected random-crop:PADDING, received 'random-crop'."],
    ["random-crop:", "--augment: expected random-crop:PADDING"],
    ["random-crop:1:2", "padding: expected a whole number of pixels, 0 or more"],
    ["random-crop:1,2", "--augment: expected random-crop:PADDING, received 'random-crop:1,2'."],
    ["random-crop:-1", "augmentation random-crop: padding: expected a whole number of pixels, 0 or more, received -1"],
    ["random-crop:2,random-resized-crop", "at most one that cuts the picture out, received random-crop and random-resized-crop"],
    ["random-resized-crop:0", "scale: expected two numbers in order, each a share above 0 and at most 1, received [0,1]"],
    ["random-resized-crop:0.9,0.5", "scale: expected two numbers in order"],
    ["random-resized-crop:0.5,1,-1", "ratio: expected two numbers in order, each a number above 0, received [-1,1.333"],
    ["color-jitter:-0.1", "brightness: expected a number of at least 0, received -0.1"],
    ["color-jitter:0.4,0.4,0.4,0.6", "hue: expected a number from 0 to 0.5, received 0.6"],
    ["color-jitter:0.4,,0.4", "unknown augmentation ''"],
    ["color-jitter:0.4,x", "unknown augmentation 'x'"],
    ["cutout:0", "size: expected a whole number of pixels, 1 or more, received 0"],
    ["mixup:0", "alpha: expected a number above 0, received 0"],
    ["mixup:Infinity", "alpha: expected a number above 0"],
    ["cutmix:1,2", "probability: expected a number from 0 to 1, received 2"],
    ["rand-augment:0", "operations: expected a whole number of at least 1, received 0"],
    ["rand-augment:2,31", "magnitude: expected a whole number from 0 to 30, received 31"],
  ])("'%s' is refused", (text, message) => {
    expect(() => parseAugmentations(text)).toThrow(UsageError);
    expect(() => parseAugmentations(text)).toThrow(message);
  });

  test("how each is written", () => {
    expect(Object.keys(AUGMENTATIONS).map((kind) => [usageOf(kind), defaultsOf(kind)])).toEqual([
      ["flip", undefined],
      ["alternating-flip", undefined],
      ["random-crop:PADDING", undefined],
      ["reflected-crop:PADDING", undefined],
      ["random-resized-crop:MIN_SCALE,MAX_SCALE,MIN_RATIO,MAX_RATIO", "0.08,1,0.75,1.33"],
      ["color-jitter:BRIGHTNESS,CONTRAST,SATURATION,HUE", "0.4,0.4,0.4,0"],
      ["rand-augment:OPERATIONS,MAGNITUDE", "2,9"],
      ["cutout:SIZE", "16"],
      ["mixup:ALPHA,PROBABILITY", "1,1"],
      ["cutmix:ALPHA,PROBABILITY", "1,1"],
    ]);
    for (const line of augmentationLines()) expect(line.length).toBeLessThanOrEqual(78);
  });

  test("the README's table is this one", () => {
    const readme = readFileSync(join(import.meta.dirname, "../../../README.md"), "utf8").replace(/ +/g, " ");
    for (const [kind, { summary, source }] of Object.entries(AUGMENTATIONS))
      expect(readme).toContain(`| \`${usageOf(kind)}\` | ${summary} | ${defaultsOf(kind) ?? ""} | ${source} |`.replace(/ +/g, " "));
  });
});
