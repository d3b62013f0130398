import {
  adaptiveAveragePool2d,
  batchNorm,
  type Conv2dOptions,
  conv2d,
  flatten,
  type Head,
  head,
  headLayers,
  initializers,
  type Layer,
  maxPool2d,
  relu,
  residual,
  sequential,
} from "../layers/index.ts";

type Convolution = (filters: number, kernel: number, options: Conv2dOptions) => Layer;

/** What differs between writings of the network. */
interface Style {
  readonly convolution: Convolution;
  /** Of a block that halves the image. */
  readonly shortcut: (filters: number) => Layer;
}

const block = ({ convolution, shortcut }: Style, filters: number, stride: 1 | 2): Layer =>
  residual(
    sequential({
      conv1: convolution(filters, 3, { stride, padding: 1 }),
      bn1: batchNorm,
      relu,
      conv2: convolution(filters, 3, { padding: 1 }),
      bn2: batchNorm,
    }),
    stride === 1 ? undefined : shortcut(filters),
  );

/** The four stages, of two blocks each; all but the first halve the image. */
const stages = (style: Style): readonly Layer[] =>
  [64, 128, 256, 512].map((filters, i) => sequential([block(style, filters, i === 0 ? 1 : 2), block(style, filters, 1)]));

const withoutBias: Convolution = (filters, kernel, options) =>
  conv2d(filters, kernel, { weight: initializers.heNormalFanOut, bias: false, ...options });

const TORCHVISION: Style = {
  convolution: withoutBias,
  shortcut: (filters) => sequential({ downsample: sequential([withoutBias(filters, 1, { stride: 2 }), batchNorm]) }),
};

/** ResNet-18 by torchvision's names and first weights, 224×224: 11,689,512 parameters with 1,000 classes. @see He et al., "Deep residual learning", 2015 */
export function resnet18(classes: number, wanted: Head): Layer {
  const [layer1, layer2, layer3, layer4] = stages(TORCHVISION);
  return sequential({
    conv1: withoutBias(64, 7, { stride: 2, padding: 3 }),
    bn1: batchNorm,
    relu,
    maxpool: maxPool2d(3, { stride: 2, padding: 1 }),
    layer1,
    layer2,
    layer3,
    layer4,
    avgpool: adaptiveAveragePool2d(1),
    flatten,
    fc: head(classes, wanted),
  });
}

/** Convolutions keep their biases; a 1×1 convolution without batch norm is the shortcut. */
const DIVE: Style = { convolution: conv2d, shortcut: (filters) => sequential({ conv3: conv2d(filters, 1, { stride: 2 }) }) };

/** ResNet-18 for gray images, 96×96: 11,178,378 parameters with 10 classes. @see Zhang et al., "Dive into Deep Learning", 8.6 */
export const resnet18Gray = (classes: number, wanted: Head): Layer =>
  sequential([
    sequential([conv2d(64, 7, { stride: 2, padding: 3 }), batchNorm, relu, maxPool2d(3, { stride: 2, padding: 1 })]),
    ...stages(DIVE),
    adaptiveAveragePool2d(1),
    flatten,
    ...headLayers(classes, wanted),
  ]);
