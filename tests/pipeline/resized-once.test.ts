import { expect, test } from "vitest";
import { inMemory } from "../../pipeline/dataset.ts";
import { type PreprocessSpec, preprocess } from "../../pipeline/preprocess.ts";
import { resizedOnce } from "../../pipeline/resized-once.ts";
import { SHAPES, shapePictures } from "../training/make/shape-pictures.ts";

const SPEC: PreprocessSpec = { resize: 36, filter: "bilinear", crop: [32, 32], channels: 3, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };

test("each image is read once, and gives the network's input that the image itself gives", async () => {
  const dataset = inMemory({ name: "shapes", classNames: SHAPES, ...shapePictures(2) });
  const read: number[] = [];
  const late = {
    ...dataset,
    image: async (index: number) => {
      read.push(index);
      return dataset.image(index);
    },
  };
  const resized = resizedOnce(late, SPEC);
  for (const i of [0, 3, 3, 0]) {
    const image = await resized.image(i);
    expect(Math.min(image.width, image.height)).toBe(36);
    expect(preprocess(image, SPEC)).toEqual(preprocess(await dataset.image(i), SPEC));
  }
  expect(read).toEqual([0, 3]);
});
