import {
  adaptiveAveragePool2d,
  batchNorm,
  type Conv2dOptions,
  conv2d,
  flatten,
  type Head,
  head,
  initializers,
  type Layer,
  maxPool2d,
  relu,
  residual,
  sequential,
} from "../layers/index.ts";

const convolution = (filters: number, kernel: number, options: Conv2dOptions): Layer =>
  conv2d(filters, kernel, { weight: initializers.heNormalFanOut, bias: false, ...options });

const block = (filters: number, stride: 1 | 2): Layer =>
  residual(
    sequential({
      conv1: convolution(filters, 3, { stride, padding: 1 }),
      bn1: batchNorm,
      relu,
      conv2: convolution(filters, 3, { padding: 1 }),
      bn2: batchNorm,
    }),
    stride === 1 ? undefined : sequential({ downsample: sequential([convolution(filters, 1, { stride }), batchNorm]) }),
  );
const stage = (filters: number, stride: 1 | 2): Layer => sequential([block(filters, stride), block(filters, 1)]);

/** ResNet-18 by torchvision's names and first weights, 224×224: 11,689,512 parameters with 1,000 classes. @see He et al., "Deep residual learning", 2015 */
export const resnet18 = (classes: number, wanted: Head): Layer =>
  sequential({
    conv1: convolution(64, 7, { stride: 2, padding: 3 }),
    bn1: batchNorm,
    relu,
    maxpool: maxPool2d(3, { stride: 2, padding: 1 }),
    layer1: stage(64, 1),
    layer2: stage(128, 2),
    layer3: stage(256, 2),
    layer4: stage(512, 2),
    avgpool: adaptiveAveragePool2d(1),
    flatten,
    fc: head(classes, wanted),
  });
