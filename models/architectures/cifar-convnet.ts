import { batchNorm, conv2d, flatten, type Head, headLayers, type Layer, relu, sequential } from "../layers/index.ts";

/**
 * Six unpadded convolutions of 100 channels, 3×3 and then 5×5, and one of 10: 32×32 colour, 1,334,624 parameters with 10 classes.
 * @param norms which of the six are followed by batch norm, from 0
 */
export const cifarConvnet =
  (norms: readonly number[]) =>
  (classes: number, head: Head): Layer =>
    sequential({
      model: sequential([
        ...Array.from({ length: 6 }, (_, i) => [conv2d(100, i === 0 ? 3 : 5), ...(norms.includes(i) ? [batchNorm] : []), relu]).flat(),
        conv2d(10, 5),
        relu,
        flatten,
        ...headLayers(classes, head),
      ]),
    });
