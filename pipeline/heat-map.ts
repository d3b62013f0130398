import type { Size } from "./geometry.ts";
import { createImage, type Image, toRgb } from "./image.ts";
import type { PreprocessSpec } from "./preprocess.ts";
import { type View, viewRectangle } from "./views.ts";

/** How much each place of a picture counts, in the picture's proportions. */
export interface HeatMap extends Size {
  /** Row by row, of [0, 1]. */
  readonly data: Float32Array;
}

/** What one view says of its own crop, mirrored where the view is. */
export interface ViewHeat {
  readonly view: View;
  readonly heat: HeatMap;
}

/** A heat map is smooth: the longer side of one that lies on a whole picture has no more points. */
const LONGEST = 512;

/** Bilinear between the points' centers, the outermost points beyond them. @param x, y of [0, 1] across the map */
function sample({ width, height, data }: HeatMap, x: number, y: number): number {
  const across = Math.min(Math.max(x * width - 0.5, 0), width - 1);
  const down = Math.min(Math.max(y * height - 0.5, 0), height - 1);
  const [left, top] = [Math.floor(across), Math.floor(down)];
  const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
  const [u, v] = [across - left, down - top];
  const upper = data[top * width + left] * (1 - u) + data[top * width + right] * u;
  const lower = data[bottom * width + left] * (1 - u) + data[bottom * width + right] * u;
  return upper * (1 - v) + lower * v;
}

/**
 * The views' maps on the whole picture: each is enlarged bilinearly onto the rectangle that it looks at, and where several look they are averaged; the
 * highest place is then 1. What no view sees is 0.
 * @returns a map of the picture's size, or smaller in proportion where its longer side is more than 512 pixels
 */
export function placeHeat(picture: Size, views: readonly ViewHeat[], spec: PreprocessSpec): HeatMap {
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(1, Math.round(side * scale)));
  const data = new Float32Array(width * height);
  const places = views.map(({ view, heat }) => {
    const at = viewRectangle(picture.width, picture.height, view, spec);
    return {
      view,
      heat,
      x: at.x / picture.width,
      y: at.y / picture.height,
      width: at.width / picture.width,
      height: at.height / picture.height,
    };
  });
  let highest = 0;
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      let sum = 0;
      let count = 0;
      for (const place of places) {
        const x = ((column + 0.5) / width - place.x) / place.width;
        const y = ((row + 0.5) / height - place.y) / place.height;
        if (x < 0 || x > 1 || y < 0 || y > 1) continue;
        sum += sample(place.heat, place.view.flip ? 1 - x : x, y);
        count++;
      }
      const value = count ? sum / count : 0;
      data[row * width + column] = value;
      highest = Math.max(highest, value);
    }
  if (highest > 0) for (let i = 0; i < data.length; i++) data[i] /= highest;
  return { width, height, data };
}

/** Of each power of t, red, green and blue of [0, 1]: matplotlib's inferno as a polynomial. @see https://www.shadertoy.com/view/WlfXRN */
const INFERNO = [
  [0.0002189403691192265, 0.001651004631001012, -0.01948089843709184],
  [0.1065134194856116, 0.5639564367884091, 3.932712388889277],
  [11.60249308247187, -3.972853965665698, -15.9423941062914],
  [-41.70399613139459, 17.43639888205313, 44.35414519872813],
  [77.162935699427, -33.40235894210092, -81.80730925738993],
  [-71.31942824499214, 32.62606426397723, 73.20951985803202],
  [25.13112622477341, -12.24266895238567, -23.07032500287172],
] as const;

/** The colour of a heat t of [0, 1], 8 bits each: perceptually uniform, from black over violet, red and orange to pale yellow. */
export const heatColour = (t: number): readonly [red: number, green: number, blue: number] => {
  const channel = (c: 0 | 1 | 2): number => {
    const value = INFERNO.reduceRight((sum, coefficients) => sum * t + coefficients[c], 0);
    return Math.round(255 * Math.min(1, Math.max(0, value)));
  };
  return [channel(0), channel(1), channel(2)];
};

const COLOURS = 256;
/** The share of its colour at the hottest place, and at the coldest. */
const [MOST, LEAST] = [0.75, 0.3];

/** The colours of a heat map with their opacity, 8 bits each: what is laid over a picture. @returns RGBA, row by row */
export function heatPixels({ data }: HeatMap): Uint8ClampedArray<ArrayBuffer> {
  const table = Array.from({ length: COLOURS }, (_, i) => {
    const t = i / (COLOURS - 1);
    return [...heatColour(t), Math.round(255 * (LEAST + (MOST - LEAST) * t))];
  });
  const pixels = new Uint8ClampedArray(data.length * 4);
  for (let i = 0; i < data.length; i++) pixels.set(table[Math.round(data[i] * (COLOURS - 1))], 4 * i);
  return pixels;
}

/** A picture with a heat map's colours over it, the map enlarged to it bilinearly. @returns RGB of the picture's size */
export function overlayHeat(picture: Image, heat: HeatMap): Image {
  const { width, height, data } = toRgb(picture);
  const line: HeatMap = { width, height: 1, data: new Float32Array(width) };
  const result = createImage(width, height, 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) line.data[x] = sample(heat, (x + 0.5) / width, (y + 0.5) / height);
    const colours = heatPixels(line);
    for (let x = 0; x < width; x++) {
      const alpha = colours[4 * x + 3] / 255;
      const at = 3 * (y * width + x);
      for (let c = 0; c < 3; c++) result.data[at + c] = Math.round(data[at + c] * (1 - alpha) + colours[4 * x + c] * alpha);
    }
  }
  return result;
}
