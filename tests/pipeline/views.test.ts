import { describe, expect, test } from "vitest";
import { createImage, flipHorizontal, type Image } from "../../pipeline/image.ts";
import { fitImage, type PreprocessSpec } from "../../pipeline/preprocess.ts";
import { resize } from "../../pipeline/resize.ts";
import {
  nameOfView,
  parseViews,
  planView,
  splitViews,
  VIEWS,
  type View,
  viewImage,
  viewImages,
  viewRectangle,
} from "../../pipeline/views.ts";

const spec: PreprocessSpec = { resize: null, filter: "bilinear", crop: [28, 28], channels: 1, mean: [0.5], std: [0.5] };
const imagenet: PreprocessSpec = { ...spec, resize: 256, crop: [224, 224], channels: 3, mean: [0, 0, 0], std: [1, 1, 1] };

const ramp = (width: number, height: number): Image =>
  createImage(
    width,
    height,
    1,
    Uint8Array.from({ length: width * height }, (_, i) => (i * 37) % 251),
  );

describe("the table", () => {
  test("the order of the five, then of their mirrors", () => {
    const five = ["center", "upper-left", "lower-left", "lower-right", "upper-right"];
    expect(VIEWS["five-crop"].map(nameOfView)).toEqual(five);
    expect(VIEWS["ten-crop"].map(nameOfView)).toEqual([...five, ...five.map((name) => `${name}-flip`)]);
    expect(VIEWS.flip.map(nameOfView)).toEqual(["center", "center-flip"]);
    expect(VIEWS.none.map(nameOfView)).toEqual(["center"]);
  });

  test("names are parsed, views are plain JSON", () => {
    expect(parseViews("five-crop")).toBe(VIEWS["five-crop"]);
    expect(parseViews("multi-scale:256,288").map(nameOfView)).toEqual(["center-256", "center-288"]);
    expect(JSON.parse(JSON.stringify(VIEWS))).toEqual(VIEWS);
    expect(() => parseViews("fivecrop")).toThrow("unknown views 'fivecrop'. Did you mean 'five-crop'?");
    for (const bad of ["multi-scale:", "multi-scale:0", "multi-scale:256,x", "multi-scale:256,256"])
      expect(() => parseViews(bad)).toThrow("expected different sizes");
  });
});

describe("where a view looks", () => {
  test("crops resize to the spec's size where that is larger than the crop, else to 8/7 of the crop", () => {
    const sizeOf = (changed: Partial<PreprocessSpec>) =>
      planView({ width: 300, height: 400 }, VIEWS["five-crop"][0], { ...imagenet, ...changed }).size;
    expect(sizeOf({})).toEqual({ width: 256, height: 341 });
    expect(sizeOf({ resize: 224 })).toEqual({ width: 256, height: 341 });
    expect(sizeOf({ resize: [230, 230] })).toEqual({ width: 256, height: 341 });
    expect(sizeOf({ resize: null, crop: [28, 28] })).toEqual({ width: 32, height: 42 });
    expect(sizeOf({ resize: 230, crop: [112, 230] }).width).toBe(263);
  });

  test("five crops of a 28×28 picture, in its own pixels", () => {
    const at = (view: View) => viewRectangle(28, 28, view, spec);
    const side = 24.5; // 28 of 32
    expect(VIEWS["five-crop"].map(at)).toEqual([
      { x: 1.75, y: 1.75, width: side, height: side },
      { x: 0, y: 0, width: side, height: side },
      { x: 0, y: 3.5, width: side, height: side },
      { x: 3.5, y: 3.5, width: side, height: side },
      { x: 3.5, y: 0, width: side, height: side },
    ]);
    expect(at(VIEWS.none[0])).toEqual({ x: 0, y: 0, width: 28, height: 28 });
  });
});

describe("what a view sees", () => {
  test("the crops of the resized picture", () => {
    const picture = ramp(40, 61);
    const whole = resize(picture, { width: 32, height: 48 }, "bilinear");
    const corner = viewImage(picture, VIEWS["five-crop"][3], spec);
    for (let y = 0; y < 28; y++)
      expect(corner.data.subarray(y * 28, y * 28 + 28)).toEqual(whole.data.subarray((20 + y) * 32 + 4, (20 + y) * 32 + 32));
  });

  test("none is the preprocessing itself, flip its mirror", () => {
    const picture = ramp(500, 375);
    const [plain, mirror] = viewImages(picture, VIEWS.flip, imagenet);
    expect(Buffer.compare(plain.data, fitImage(picture, imagenet).data)).toBe(0);
    expect(Buffer.compare(mirror.data, flipHorizontal(plain).data)).toBe(0);
    expect([plain.width, plain.height, plain.channels]).toEqual([224, 224, 3]);
  });

  test("views together are views alone, for pictures of any shape", () => {
    const views = [...VIEWS["ten-crop"], ...VIEWS.flip, ...parseViews("multi-scale:20,40")];
    for (const picture of [ramp(28, 28), ramp(90, 33), ramp(3, 700), ramp(5, 4)])
      expect(viewImages(picture, views, spec)).toEqual(views.map((view) => viewImage(picture, view, spec)));
  });

  test("a picture smaller than the crop is laid on black", () => {
    const seen = viewImage(ramp(4, 4), VIEWS.none[0], spec);
    expect(seen.data.reduce((sum, value) => sum + value, 0)).toBe(ramp(4, 4).data.reduce((sum, value) => sum + value, 0));
    expect(seen.data[12 * 28 + 13]).toBe(37); // the picture's (1, 0)
  });
});

describe("several rows with commas between them", () => {
  test.each([
    ["none", ["none"]],
    ["none,five-crop,flip", ["none", "five-crop", "flip"]],
    ["multi-scale:256,288,320", ["multi-scale:256,288,320"]],
    ["none,multi-scale:256,288,five-crop,multi-scale:300", ["none", "multi-scale:256,288", "five-crop", "multi-scale:300"]],
  ])("%s", (list, names) => expect(splitViews(list)).toEqual(names));

  test.each(["", "none,", ",none", "none, flip", "none,256", "multi-scale:256,", "multi-scale:,256", "none,fiv-crop"])(
    "'%s' is refused",
    (list) => expect(() => splitViews(list)).toThrow(/views '/),
  );
});
