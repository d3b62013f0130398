import { conv2d, flatten, type Head, headLayers, type Layer, maxPool2d, relu, sequential } from "../layers/index.ts";

/** AlexNet without local response normalization, 224×224 gray: 46,764,746 parameters with 10 classes. @see Krizhevsky et al., 2012; "Dive into Deep Learning", 8.1 */
export const alexnet = (classes: number, head: Head): Layer =>
  sequential([
    conv2d(96, 11, { stride: 4, padding: 1 }),
    relu,
    maxPool2d(3, { stride: 2 }),
    conv2d(256, 5, { padding: 2 }),
    relu,
    maxPool2d(3, { stride: 2 }),
    conv2d(384, 3, { padding: 1 }),
    relu,
    conv2d(384, 3, { padding: 1 }),
    relu,
    conv2d(256, 3, { padding: 1 }),
    relu,
    maxPool2d(3, { stride: 2 }),
    flatten,
    ...headLayers(classes, head),
  ]);
