import {
  adaptiveAveragePool2d,
  averagePool2d,
  batchNorm,
  conv2d,
  flatten,
  type Head,
  head,
  initializers,
  type Layer,
  maxPool2d,
  relu,
  sequential,
} from "../layers/index.ts";

const GROWTH = 32;
const BLOCKS = [6, 12, 32, 32];

const convolution = (filters: number, kernel: number, stride = 1): Layer =>
  conv2d(filters, kernel, { stride, padding: (kernel - 1) / 2, weight: initializers.heNormalFanIn, bias: false });

/** Its 32 new channels go behind those that came in. */
const denseLayer: Layer = (x, scope) => {
  const bottleneck = { norm1: batchNorm, relu1: relu, conv1: convolution(4 * GROWTH, 1), norm2: batchNorm, relu2: relu };
  const added = sequential({ ...bottleneck, conv2: convolution(GROWTH, 3) })(x, scope);
  return scope.graph.add("Concat", [x, added], { axis: 1 }, scope.path);
};
const denseBlock = (layers: number): Layer =>
  sequential(Object.fromEntries(Array.from({ length: layers }, (_, i) => [`denselayer${i + 1}`, denseLayer])));

const transition = (channels: number): Layer =>
  sequential({ norm: batchNorm, relu, conv: convolution(channels / 2, 1), pool: averagePool2d(2) });

/** DenseNet-169 by torchvision's names and first weights, 224×224: 14,149,480 parameters with 1,000 classes. @see Huang et al., "Densely connected convolutional networks", 2016 */
export function densenet169(classes: number, wanted: Head): Layer {
  const blocks: Record<string, Layer> = {};
  let channels = 64;
  BLOCKS.forEach((layers, i) => {
    blocks[`denseblock${i + 1}`] = denseBlock(layers);
    channels += layers * GROWTH;
    if (i === BLOCKS.length - 1) return;
    blocks[`transition${i + 1}`] = transition(channels);
    channels /= 2;
  });
  const stem = { conv0: convolution(64, 7, 2), norm0: batchNorm, relu0: relu, pool0: maxPool2d(3, { stride: 2, padding: 1 }) };
  return sequential({
    features: sequential({ ...stem, ...blocks, norm5: batchNorm }),
    relu,
    avgpool: adaptiveAveragePool2d(1),
    flatten,
    classifier: head(classes, wanted, { bias: initializers.constant(0) }),
  });
}
