import { conv2d, flatten, type Head, headLayers, type Layer, maxPool2d, relu, sequential } from "../layers/index.ts";

const block = (convolutions: number, filters: number): Layer =>
  sequential([...Array.from({ length: convolutions }, () => [conv2d(filters, 3, { padding: 1 }), relu]).flat(), maxPool2d(2)]);

/**
 * VGG-11, 224×224 gray, with 10 classes: 128,806,154 parameters at the paper's width of 64, 43,093,322 at a quarter of it.
 * @param width filters of the first block. @see Simonyan and Zisserman, 2014; "Dive into Deep Learning", 8.2
 */
export const vgg11 =
  (width: number) =>
  (classes: number, head: Head): Layer =>
    sequential([
      block(1, width),
      block(1, 2 * width),
      block(2, 4 * width),
      block(2, 8 * width),
      block(2, 8 * width),
      flatten,
      ...headLayers(classes, head),
    ]);
