import { placeCrop } from "../geometry.ts";
import { createImage, type Image } from "../image.ts";
import { resizeImage } from "../preprocess.ts";
import type { Augmentation } from "./augmentation.ts";
import { PADDING, startOfCrop } from "./random-crop.ts";

export interface ReflectedCropSpec {
  readonly kind: "reflected-crop";
  /** Pixels on every side of the resized picture, its own mirrored at the border. */
  readonly padding: number;
}

/** The place in 0 … side − 1 that a place outside mirrors; the border itself is not repeated: −1 → 1. */
function reflected(at: number, side: number): number {
  if (side === 1) return 0;
  const period = 2 * (side - 1);
  const within = ((at % period) + period) % period;
  return within < side ? within : period - within;
}

function reflectedCrop(image: Image, x: number, y: number, [height, width]: readonly [number, number]): Image {
  const { channels, data } = image;
  const result = createImage(width, height, channels);
  const columns = Array.from({ length: width }, (_, i) => reflected(x + i, image.width) * channels);
  let to = 0;
  for (let i = 0; i < height; i++) {
    const row = reflected(y + i, image.height) * image.width * channels;
    for (const column of columns) for (let c = 0; c < channels; c++) result.data[to++] = data[row + column + c];
  }
  return result;
}

/** `random-crop` whose border is the picture's own pixels in a mirror, so that no edge comes in. */
export const reflectedCropped: Augmentation<ReflectedCropSpec> = {
  summary: "the same, with the picture mirrored around it in place of black",
  source: 'torchvision RandomCrop(padding_mode="reflect")',
  parameters: { padding: PADDING },
  create: ({ padding }) => ({
    stage: "fit",
    apply(image, preprocess, random) {
      const whole = resizeImage(image, preprocess);
      const [height, width] = preprocess.crop;
      const middle = placeCrop(whole, preprocess.crop, "center");
      const x = startOfCrop(whole.width, width, padding, middle.x, random);
      const y = startOfCrop(whole.height, height, padding, middle.y, random);
      return reflectedCrop(whole, x, y, preprocess.crop);
    },
  }),
};
