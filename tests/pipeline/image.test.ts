import { describe, expect, test } from "vitest";
import { placeCrop, resizedSize, roundHalfToEven } from "../../pipeline/geometry.ts";
import { createImage, crop, flipHorizontal, toGray, toRgb, withChannels } from "../../pipeline/image.ts";
import { cmykToRgb, overWhite } from "../../pipeline/ink.ts";

const gray = createImage(3, 2, 1, Uint8Array.of(1, 2, 3, 4, 5, 6));
const rgb = createImage(2, 1, 3, Uint8Array.of(255, 0, 0, 10, 20, 30));

describe("image", () => {
  test("crop, also beyond the borders", () => {
    expect([...crop(gray, { x: 1, y: 0, width: 2, height: 2 }).data]).toEqual([2, 3, 5, 6]);
    expect([...crop(gray, { x: -1, y: 1, width: 3, height: 2 }).data]).toEqual([0, 4, 5, 0, 0, 0]);
    expect([...crop(rgb, { x: 1, y: 0, width: 2, height: 1 }).data]).toEqual([10, 20, 30, 0, 0, 0]);
    expect([...crop(gray, { x: 5, y: 0, width: 1, height: 1 }).data]).toEqual([0]);
    expect(crop(gray, { x: 0, y: 0, width: 3, height: 2 })).toBe(gray);
  });

  test("flip", () => {
    expect([...flipHorizontal(gray).data]).toEqual([3, 2, 1, 6, 5, 4]);
    expect([...flipHorizontal(rgb).data]).toEqual([10, 20, 30, 255, 0, 0]);
  });

  test("gray is ITU-R 601, as Pillow's L", () => {
    const colours = createImage(5, 1, 3, Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 255, 255, 255));
    expect([...toGray(colours).data]).toEqual([76, 150, 29, 18, 255]);
    expect([...toRgb(createImage(2, 1, 1, Uint8Array.of(3, 9))).data]).toEqual([3, 3, 3, 9, 9, 9]);
    expect(withChannels(rgb, 3)).toBe(rgb);
    expect(withChannels(gray, 1)).toBe(gray);
  });

  test("a wrong size is refused", () => {
    expect(() => createImage(2, 2, 1, new Uint8Array(3))).toThrow("expected 4 bytes for 2×2 pixels of 1 channels, received 3");
    expect(() => createImage(0, 2, 1)).toThrow("received 0×2");
  });

  test("alpha on white and ink to light, by hand", () => {
    expect([...overWhite(Uint8Array.of(10, 20, 30, 128, 1, 2, 3, 0, 9, 9, 9, 255), 4, 3)]).toEqual([132, 137, 142, 255, 255, 255, 9, 9, 9]);
    expect([...overWhite(Uint8Array.of(10, 128), 2, 1)]).toEqual([132]);
    expect([...cmykToRgb(Uint8Array.of(0, 255, 128, 0, 0, 0, 0, 255, 100, 0, 50, 55), 4)]).toEqual([255, 0, 127, 0, 0, 0, 122, 200, 161]);
  });
});

describe("geometry rounds as torchvision", () => {
  test("halves to even", () =>
    expect([0.5, 1.5, 2.5, 3.5, -0.5, 2.4, 2.6].map(roundHalfToEven).map((x) => x + 0)).toEqual([0, 2, 2, 4, 0, 2, 3]));

  test("the longer side is truncated", () => {
    expect(resizedSize({ width: 333, height: 500 }, 256)).toEqual({ width: 256, height: 384 }); // 384.38
    expect(resizedSize({ width: 500, height: 333 }, 100)).toEqual({ width: 150, height: 100 }); // 150.15
    expect(resizedSize({ width: 427, height: 640 }, 256)).toEqual({ width: 256, height: 383 }); // 383.70
    expect(resizedSize({ width: 10, height: 20 }, [3, 4])).toEqual({ width: 4, height: 3 });
    expect(resizedSize({ width: 10, height: 20 }, null)).toEqual({ width: 10, height: 20 });
    expect(() => resizedSize({ width: 1, height: 10_000_000 }, 256)).toThrow("To fix: crop it first");
  });

  test("a center crop's offset goes to the even neighbour", () => {
    expect([227, 229, 231].map((width) => placeCrop({ width, height: 224 }, [224, 224], "center").x)).toEqual([2, 2, 4]); // 1.5, 2.5, 3.5
  });

  test("a smaller picture is padded, one pixel more at the far end", () => {
    expect(placeCrop({ width: 5, height: 12 }, [8, 8], "center")).toEqual({ x: -1, y: 2, width: 8, height: 8 });
    expect(placeCrop({ width: 5, height: 12 }, [8, 8], "lower-right")).toEqual({ x: -1, y: 4, width: 8, height: 8 });
  });
});
