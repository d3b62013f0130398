import {
  adaptiveAveragePool2d,
  batchNorm,
  conv2d,
  flatten,
  type Head,
  head,
  type Layer,
  logSoftmax,
  relu,
  sequential,
} from "../layers/index.ts";

const convolution = conv2d(64, 3, { padding: 1, bias: false });

/**
 * One to three stages of two convolutions for photos of flowers, 224×224, that end in a log-softmax: 148,520, 222,504 or 296,488 parameters with
 * 1,000 classes.
 */
export const convnet =
  (stages: number) =>
  (classes: number, wanted: Head): Layer =>
    sequential({
      conv1: conv2d(64, 7, { stride: 2, padding: 3, bias: false }),
      batchnorm: batchNorm,
      ...Object.fromEntries(
        Array.from({ length: stages }, (_, i) => [`layer${i + 1}`, sequential([convolution, batchNorm, relu, convolution, batchNorm])]),
      ),
      avgpool: adaptiveAveragePool2d(1),
      flatten,
      fc: head(classes, wanted),
      logSoftmax,
    });
