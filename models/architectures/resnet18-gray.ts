import {
  adaptiveAveragePool2d,
  batchNorm,
  conv2d,
  flatten,
  type Head,
  headLayers,
  type Layer,
  maxPool2d,
  relu,
  residual,
  sequential,
} from "../layers/index.ts";

/** Convolutions keep their biases; where the stage halves the image, a 1×1 convolution without batch norm is the shortcut. */
const block = (filters: number, stride: 1 | 2): Layer =>
  residual(
    sequential({
      conv1: conv2d(filters, 3, { stride, padding: 1 }),
      bn1: batchNorm,
      relu,
      conv2: conv2d(filters, 3, { padding: 1 }),
      bn2: batchNorm,
    }),
    stride === 1 ? undefined : sequential({ conv3: conv2d(filters, 1, { stride }) }),
  );
const stage = (filters: number, stride: 1 | 2): Layer => sequential([block(filters, stride), block(filters, 1)]);

/** ResNet-18 for gray images, 96×96: 11,178,378 parameters with 10 classes. @see Zhang et al., "Dive into Deep Learning", 8.6 */
export const resnet18Gray = (classes: number, head: Head): Layer =>
  sequential([
    sequential([conv2d(64, 7, { stride: 2, padding: 3 }), batchNorm, relu, maxPool2d(3, { stride: 2, padding: 1 })]),
    stage(64, 1),
    stage(128, 2),
    stage(256, 2),
    stage(512, 2),
    adaptiveAveragePool2d(1),
    flatten,
    ...headLayers(classes, head),
  ]);
