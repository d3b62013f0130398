import { batchNorm, conv2d, flatten, type Head, head, type Layer, maxPool2d, relu, sequential } from "../layers/index.ts";

/** Three convolutions, each with batch norm, relu and a pool: 28×28 gray, 62,058 parameters with 10 classes. */
export const fashionCnn = (classes: number, wanted: Head): Layer =>
  sequential({
    conv1: conv2d(16, 3, { padding: 1 }),
    bn1: batchNorm,
    relu1: relu,
    pool1: maxPool2d(2),
    conv2: conv2d(32, 3, { padding: 1 }),
    bn2: batchNorm,
    relu2: relu,
    pool2: maxPool2d(2),
    conv3: conv2d(64, 5, { padding: 2 }),
    bn3: batchNorm,
    relu3: relu,
    pool3: maxPool2d(2),
    flatten,
    fc: head(classes, wanted),
  });
