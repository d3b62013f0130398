import { describe, expect, test } from "vitest";
import { type HeatMap, heatColour, heatPixels, overlayHeat, placeHeat } from "../../pipeline/heat-map.ts";
import { createImage } from "../../pipeline/image.ts";
import type { PreprocessSpec } from "../../pipeline/preprocess.ts";
import { VIEWS, type View, viewRectangle } from "../../pipeline/views.ts";

const spec: PreprocessSpec = { resize: [8, 8], filter: "bilinear", crop: [8, 8], channels: 1, mean: [0.5], std: [0.5] };
const whole: View = { anchor: "center", flip: false };
const heat = (width: number, height: number, data: readonly number[]): HeatMap => ({ width, height, data: Float32Array.from(data) });
const values = ({ data }: HeatMap): number[] => Array.from(data);

describe("a heat map on the picture", () => {
  test("points are enlarged between their centers, and stay beyond the outermost", () => {
    const placed = placeHeat({ width: 8, height: 2 }, [{ view: whole, heat: heat(2, 1, [0, 1]) }], spec);
    expect(placed).toMatchObject({ width: 8, height: 2 });
    const row = [0, 0, 1 / 8, 3 / 8, 5 / 8, 7 / 8, 1, 1];
    values(placed).forEach((value, i) => {
      expect(value).toBeCloseTo(row[i % 8], 6);
    });
  });

  test("a mirrored view is mirrored back", () => {
    const placed = placeHeat({ width: 8, height: 1 }, [{ view: { ...whole, flip: true }, heat: heat(2, 1, [0, 1]) }], spec);
    expect(values(placed)[0]).toBe(1);
    expect(values(placed)[7]).toBe(0);
  });

  test("views that look at one place are averaged there, and the highest place is 1", () => {
    const both = VIEWS.flip.map((view) => ({ view, heat: heat(2, 1, [0, 0.5]) }));
    for (const value of values(placeHeat({ width: 8, height: 1 }, both, spec))) expect(value).toBeCloseTo(1, 6);
    const five = VIEWS["five-crop"].map((view, i) => ({ view, heat: heat(1, 1, [i === 1 ? 1 : 0]) })); // upper left alone
    const placed = placeHeat({ width: 90, height: 90 }, five, { ...spec, resize: 90, crop: [60, 60] });
    const at = (x: number, y: number) => placed.data[y * 90 + x];
    expect(at(5, 5)).toBe(1); // seen by it alone
    expect(at(20, 20)).toBeCloseTo(1 / 2, 6); // and by the center
    expect(at(45, 45)).toBeCloseTo(1 / 5, 6); // by all
    expect(at(85, 85)).toBe(0);
  });

  test("what no view sees is 0, and a crop beyond the picture is cut off", () => {
    const cropped = placeHeat({ width: 90, height: 90 }, [{ view: whole, heat: heat(1, 1, [1]) }], { ...spec, resize: 90, crop: [30, 30] });
    const { x, width } = viewRectangle(90, 90, whole, { ...spec, resize: 90, crop: [30, 30] });
    expect([x, width]).toEqual([30, 30]);
    expect(values(cropped).reduce((a, b) => a + b, 0)).toBe(900);
    const padded = placeHeat({ width: 4, height: 4 }, [{ view: whole, heat: heat(4, 4, [...Array(15).fill(0), 1]) }], {
      ...spec,
      resize: null,
    });
    expect(values(padded)).toHaveLength(16);
    expect(values(padded)[15]).toBe(1);
  });

  test("nothing stays nothing; a large picture's map has 512 points along its longer side", () => {
    const placed = placeHeat({ width: 4000, height: 3000 }, [{ view: whole, heat: heat(2, 2, [0, 0, 0, 0]) }], spec);
    expect([placed.width, placed.height]).toEqual([512, 384]);
    expect(values(placed).every((value) => value === 0)).toBe(true);
  });
});

describe("its colours", () => {
  const lightness = ([r, g, b]: readonly number[]): number => {
    const linear = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    const y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
  };

  test("are matplotlib's inferno: even steps of lightness", () => {
    expect(heatColour(0).every((c) => c < 5)).toBe(true);
    [188, 55, 84].forEach((c, i) => {
      expect(Math.abs(heatColour(0.5)[i] - c)).toBeLessThan(5); // inferno(0.5)
    });
    const steps = Array.from({ length: 21 }, (_, i) => lightness(heatColour(i / 20)));
    for (let i = 1; i < steps.length; i++) {
      expect(steps[i] - steps[i - 1]).toBeGreaterThan(2);
      expect(steps[i] - steps[i - 1]).toBeLessThan(8);
    }
  });

  test("cover the more, the hotter", () => {
    const pixels = heatPixels(heat(3, 1, [0, 0.5, 1]));
    expect([pixels[3], pixels[7], pixels[11]]).toEqual([77, 134, 191]);
  });

  test("over a gray picture: RGB of its size, dark where it is cold", () => {
    const picture = createImage(4, 2, 1, new Uint8Array(8).fill(200));
    const shown = overlayHeat(picture, heat(2, 1, [0, 1]));
    expect([shown.width, shown.height, shown.channels]).toEqual([4, 2, 3]);
    expect([...shown.data.subarray(0, 3)]).toEqual(heatColour(0).map((c) => Math.round(200 * (1 - 77 / 255) + (c * 77) / 255)));
    expect(shown.data[9]).toBeGreaterThan(shown.data[0]);
  });
});
