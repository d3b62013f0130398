import { describe, expect, test } from "vitest";
import { UsageError } from "../../core/errors.ts";
import { createImage } from "../../pipeline/image.ts";
import { normalizeInto, type PreprocessSpec, preprocess, preprocessInto, validatePreprocess } from "../../pipeline/preprocess.ts";

const spec: PreprocessSpec = {
  resize: null,
  filter: "bilinear",
  crop: [1, 2],
  channels: 3,
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};
const image = createImage(2, 1, 3, Uint8Array.of(0, 100, 255, 7, 128, 33));
const { fround } = Math;
const x = (pixel: number, c: number): number => fround(fround(fround(pixel / 255) - fround(spec.mean[c])) / fround(spec.std[c]));

describe("preprocess", () => {
  test("float32 [1, C, H, W], rounded as PyTorch rounds", () => {
    const { shape, data } = preprocess(image, spec);
    expect(shape).toEqual([1, 3, 1, 2]);
    expect([...data]).toEqual([x(0, 0), x(7, 0), x(100, 1), x(128, 1), x(255, 2), x(33, 2)]);
    expect(data[0]).toBe(-2.1179039478302); // torchvision's Normalize on black
    expect([
      ...preprocess(createImage(1, 1, 1, Uint8Array.of(255)), { ...spec, crop: [1, 1], channels: 1, mean: [0.5], std: [0.5] }).data,
    ]).toEqual([1]);
  });

  test("into a larger array, touching nothing else", () => {
    const out = new Float32Array(8).fill(9);
    preprocessInto(image, spec, out, 1);
    expect([...out]).toEqual([9, ...preprocess(image, spec).data, 9]);
  });

  test("gray for colour and colour for gray are converted", () => {
    const gray = { ...spec, channels: 1, mean: [0], std: [1] } as const;
    expect([...preprocess(image, gray).data]).toEqual([fround(88 / 255), fround(81 / 255)]);
    expect([...preprocess(createImage(2, 1, 1, Uint8Array.of(5, 6)), spec).data]).toEqual([
      x(5, 0),
      x(6, 0),
      x(5, 1),
      x(6, 1),
      x(5, 2),
      x(6, 2),
    ]);
  });

  test("normalizeInto takes only what fits", () => {
    expect(() => normalizeInto(createImage(3, 1, 3), spec, new Float32Array(9), 0)).toThrow(
      "expected an image of 2×1 pixels and 3 channels, received 3×1 and 3",
    );
  });
});

describe("validatePreprocess", () => {
  test("a right one comes back, from JSON", () => expect(validatePreprocess(JSON.parse(JSON.stringify(spec)))).toEqual(spec));

  test.each<[unknown, string]>([
    [null, "preprocess: expected an object with the fields resize, filter, crop, channels, mean, std, received null"],
    [undefined, "received nothing"],
    [[spec], "preprocess: expected an object"],
    [{ ...spec, resize: 0 }, "preprocess.resize: expected a whole number (the shorter side), [height, width], or null, received 0"],
    [{ ...spec, resize: [3] }, "preprocess.resize"],
    [{ ...spec, filter: "lanczos" }, 'preprocess.filter: expected "bilinear", "bicubic" or "nearest", received "lanczos"'],
    [
      { ...spec, crop: 224 },
      "preprocess.crop: expected [height, width], whole numbers from 1 to 16384, of at most 16777216 pixels, received 224",
    ],
    [{ ...spec, crop: [16384, 16384] }, "preprocess.crop"],
    [{ ...spec, crop: [224, 2.5] }, "preprocess.crop"],
    [{ ...spec, channels: 4 }, "preprocess.channels: expected 1 (gray) or 3 (RGB), received 4"],
    [{ ...spec, mean: [0.5] }, "preprocess.mean: expected a number for each channel, received [0.5]"],
    [{ ...spec, std: [1, 1, 0] }, "preprocess.std: expected a number above 0 for each channel, received [1,1,0]"],
    [{ ...spec, std: undefined }, "received nothing"],
    [{ ...spec, cropp: 3 }, "preprocess: unknown field 'cropp'. Did you mean 'crop'?"],
  ])("%j is refused", (value, message) => {
    expect(() => validatePreprocess(value)).toThrow(UsageError);
    expect(() => validatePreprocess(value)).toThrow(message);
  });
});
