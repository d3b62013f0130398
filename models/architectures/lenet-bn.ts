import { averagePool2d, batchNorm, conv2d, flatten, initializers, type Layer, linear, sequential, sigmoid } from "../layers/index.ts";

const weight = initializers.xavierUniform;

/** LeNet-5 with batch norm before each sigmoid: 28×28 gray, 44,878 parameters with 10 classes. @see Zhang et al., "Dive into Deep Learning", 8.5 */
export const lenetBn = (classes: number): Layer =>
  sequential([
    conv2d(6, 5, { weight }),
    batchNorm,
    sigmoid,
    averagePool2d(2),
    conv2d(16, 5, { weight }),
    batchNorm,
    sigmoid,
    averagePool2d(2),
    flatten,
    linear(120, { weight }),
    batchNorm,
    sigmoid,
    linear(84, { weight }),
    batchNorm,
    sigmoid,
    linear(classes, { weight }),
  ]);
