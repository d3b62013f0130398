import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rotate, shearX, shearY, translate } from "../../../pipeline/augmentations/affine.ts";
import { brightness, contrast, hue, saturation } from "../../../pipeline/augmentations/color.ts";
import { OPERATIONS } from "../../../pipeline/augmentations/rand-augment.ts";
import { sharpness } from "../../../pipeline/augmentations/sharpness.ts";
import { autocontrast, equalize, posterize, solarize } from "../../../pipeline/augmentations/tone.ts";
import type { Rectangle } from "../../../pipeline/geometry.ts";
import { createImage, crop, type Image } from "../../../pipeline/image.ts";
import { resize } from "../../../pipeline/resize.ts";
import { type PictureSpec, picture } from "./pictures.ts";

type Change = (image: Image, value: number) => Image;
const CHANGES: Readonly<Record<string, Change>> = {
  brightness,
  contrast,
  saturation,
  sharpness,
  hue,
  posterize,
  solarize,
  autocontrast,
  equalize,
  rotate,
  shearX,
  shearY,
  translateX: (image, value) => translate(image, value, 0),
  translateY: (image, value) => translate(image, 0, value),
};

interface Golden {
  readonly operations: readonly {
    readonly operation: string;
    readonly picture: PictureSpec;
    readonly value: number;
    readonly sha256: string;
  }[];
  readonly crops: readonly {
    readonly picture: PictureSpec;
    readonly box: readonly [number, number, number, number];
    readonly size: readonly [number, number];
    readonly sha256: string;
  }[];
  readonly space: readonly { readonly width: number; readonly height: number; readonly magnitudes: Readonly<Record<string, number[]>> }[];
}
const golden: Golden = JSON.parse(readFileSync(join(import.meta.dirname, "../../golden/pillow/augmentations.json"), "utf8"));
const digest = ({ data }: Image): string => createHash("sha256").update(data).digest("hex");

describe("Pillow's pixels", () => {
  test("every operation is in the cases", () =>
    expect([...new Set(golden.operations.map(({ operation }) => operation))].sort()).toEqual(Object.keys(CHANGES).sort()));

  test.each(Object.keys(CHANGES))("%s", (name) => {
    for (const { operation, picture: spec, value, sha256 } of golden.operations)
      if (operation === name) expect([spec, value, digest(CHANGES[name](picture(spec), value))]).toEqual([spec, value, sha256]);
  });

  test("a picture that is changed stays as it was", () => {
    for (const change of Object.values(CHANGES)) {
      const image = picture(["smooth", 8, 8, 3]);
      change(image, 1);
      expect(image).toEqual(picture(["smooth", 8, 8, 3]));
    }
  });

  test.each(golden.crops)("the part $box of $picture resized to $size", ({ picture: spec, box: [x, y, width, height], size, sha256 }) => {
    const box: Rectangle = { x, y, width, height };
    expect(digest(resize(crop(picture(spec), box), { width: size[0], height: size[1] }, "bilinear"))).toBe(sha256);
  });
});

test.each(golden.space)("RandAugment's magnitudes are torchvision's for $width×$height", ({ width, height, magnitudes }) => {
  const image = createImage(width, height, 3);
  for (const [name, expected] of Object.entries(magnitudes)) {
    const { strength } = OPERATIONS[name as keyof typeof OPERATIONS];
    expect([name, expected.map((_, m) => strength(m, image))]).toEqual([name, expected]);
  }
  expect(Object.keys(OPERATIONS).filter((name) => !(name in magnitudes))).toEqual(["Identity", "AutoContrast", "Equalize"]);
});
