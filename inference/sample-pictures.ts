import { type Random, random } from "../core/random.ts";
import { createImage, type Image } from "../pipeline/image.ts";

/** A picture to try a model with. */
export interface SamplePicture {
  readonly name: string;
  readonly image: Image;
}

type Painter = (source: Random) => (x: number, y: number) => readonly [red: number, green: number, blue: number];

const color = (source: Random): [number, number, number] => [source.integer(256), source.integer(256), source.integer(256)];

/** Discs and boxes, one over the other: edges in all directions, and flat areas. */
const shapes =
  (width: number, height: number): Painter =>
  (source) => {
    const ground = color(source);
    const list = Array.from({ length: 9 }, (_, i) => ({
      round: i % 2 === 0,
      x: source.integer(width),
      y: source.integer(height),
      reach: 8 + source.integer(Math.floor(height / 4)),
      fill: color(source),
    }));
    return (x, y) => {
      const on = list.findLast(({ round, x: cx, y: cy, reach }) => {
        const [dx, dy] = [Math.abs(x - cx), Math.abs(y - cy)];
        return round ? dx * dx + dy * dy <= reach * reach : Math.max(dx, dy) <= reach;
      });
      return on?.fill ?? ground;
    };
  };

/** From one colour to another along x, and waves along y, in whole numbers: the same on every machine. */
const gradients =
  (width: number): Painter =>
  (source) => {
    const [left, right] = [color(source), color(source)];
    const period = 16 + source.integer(16);
    return (x, y) => {
      const wave = Math.abs((y % (2 * period)) - period);
      const at = (c: number): number => Math.floor((left[c] * (width - 1 - x) + right[c] * x) / (width - 1));
      return [at(0), Math.floor((at(1) * wave) / period), at(2)];
    };
  };

const noise: Painter = (source) => () => color(source);

/** Larger than most crops, tall, and smaller than most crops: resizing shrinks and enlarges, and both sides are the longer one once. */
const PICTURES: readonly (readonly [name: string, width: number, height: number, painter: Painter])[] = [
  ["shapes", 300, 260, shapes(300, 260)],
  ["gradients", 61, 97, gradients(61)],
  ["noise", 31, 24, noise],
];

/** Three small pictures that depend on the seed alone: shapes, gradients, noise. */
export function samplePictures(seed = 0): SamplePicture[] {
  return PICTURES.map(([name, width, height, painter]) => {
    const paint = painter(random(seed).fork(name));
    const image = createImage(width, height, 3);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) image.data.set(paint(x, y), (y * width + x) * 3);
    return { name, image };
  });
}
