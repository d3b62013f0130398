import {
  adaptiveAveragePool2d,
  batchNorm,
  conv2d,
  flatten,
  type Head,
  headLayers,
  initializers,
  type Layer,
  maxPool2d,
  relu,
  sequential,
} from "../layers/index.ts";

const zero = initializers.constant(0);
const convolution = (filters: number, norm: boolean): Layer[] => [
  conv2d(filters, 3, { padding: 1, weight: initializers.heNormalFanOut, bias: zero }),
  ...(norm ? [batchNorm] : []),
  relu,
];
const dense = { weight: initializers.normal(0.01), bias: zero };

/** A small VGG for MiniPlaces, 64×64: 2,166,756 parameters with 100 classes; 2,167,652 with batch norm. @see Simonyan and Zisserman, 2014 */
export const miniVgg =
  (norm: boolean) =>
  (classes: number, head: Head): Layer =>
    sequential({
      features: sequential([
        ...convolution(64, norm),
        maxPool2d(2),
        ...convolution(128, norm),
        maxPool2d(2),
        ...convolution(128, norm),
        ...convolution(128, norm),
        maxPool2d(2),
      ]),
      avgpool: adaptiveAveragePool2d(5),
      flatten,
      classifier: sequential(headLayers(classes, head, dense)),
    });
