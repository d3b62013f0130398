import { random } from "../../../core/random.ts";
import { createImage, type Image } from "../../../pipeline/image.ts";

/** Red discs and blue boxes, anywhere, of any size, on any gray. */
export const SHAPES = ["red disc", "blue box"] as const;

/** Picture i of a class: the same each time. */
export function shapePicture(shape: (typeof SHAPES)[number], i: number): Image {
  const { integer } = random(7).fork(shape, i);
  const [width, height] = [48 + integer(40), 48 + integer(40)];
  const image = createImage(width, height, 3);
  const [ground, reach] = [60 + integer(140), 10 + integer(12)];
  const [cx, cy] = [reach + integer(width - 2 * reach), reach + integer(height - 2 * reach)];
  const fill = shape === "red disc" ? [200 + integer(55), integer(60), integer(60)] : [integer(60), integer(60), 200 + integer(55)];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [dx, dy] = [Math.abs(x - cx), Math.abs(y - cy)];
      const inside = shape === "red disc" ? dx * dx + dy * dy <= reach * reach : Math.max(dx, dy) <= reach;
      image.data.set(inside ? fill : [ground, ground, ground], (y * width + x) * 3);
    }
  return image;
}

/** So many of each class, class after class. */
export const shapePictures = (each: number): { readonly images: Image[]; readonly labels: number[] } => ({
  images: SHAPES.flatMap((shape) => Array.from({ length: each }, (_, i) => shapePicture(shape, i))),
  labels: SHAPES.flatMap((_, label) => Array.from({ length: each }, () => label)),
});
