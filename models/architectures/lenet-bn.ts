import { averagePool2d, batchNorm, conv2d, flatten, type Layer, linear, sequential, sigmoid } from "../layers/index.ts";

/** LeNet-5 with batch norm before each sigmoid: 28×28 gray, 44,878 parameters with 10 classes. @see Zhang et al., "Dive into Deep Learning", 8.5 */
export const lenetBn = (classes: number): Layer =>
  sequential([
    conv2d(6, 5),
    batchNorm,
    sigmoid,
    averagePool2d(2),
    conv2d(16, 5),
    batchNorm,
    sigmoid,
    averagePool2d(2),
    flatten,
    linear(120),
    batchNorm,
    sigmoid,
    linear(84),
    batchNorm,
    sigmoid,
    linear(classes),
  ]);
