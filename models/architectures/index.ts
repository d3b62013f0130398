import { UsageError } from "../../core/errors.ts";
import { lookUp } from "../../core/nearest.ts";
import type { Head } from "../layers/head.ts";
import { WEIGHT_INITIALIZERS, type WeightInitializer } from "../layers/initializers.ts";
import type { Layer } from "../layers/layer.ts";
import { initializedWith, type Network, network } from "../network.ts";
import { alexnet } from "./alexnet.ts";
import { cifarConvnet } from "./cifar-convnet.ts";
import { convnet } from "./convnet.ts";
import { densenet169 } from "./densenet169.ts";
import { fashionCnn } from "./fashion-cnn.ts";
import { lenetBn } from "./lenet-bn.ts";
import { miniResnet } from "./mini-resnet.ts";
import { miniVgg } from "./minivgg.ts";
import { resnet18, resnet18Gray } from "./resnet18.ts";
import { vgg11 } from "./vgg11.ts";
import { whitenedConvnet } from "./whitened-convnet.ts";

interface Described {
  readonly summary: string;
  /** The image that it was made for, [C, H, W]. */
  readonly input: readonly [number, number, number];
  readonly classes: number;
  /** How its weights are drawn, where it is not as each layer says. */
  readonly initialization?: WeightInitializer;
}

/** A family of networks: for any number of classes, and most with any head. */
export type Architecture = Described &
  (
    | { readonly head: Head; readonly layers: (classes: number, head: Head) => Layer }
    | { readonly head?: undefined; readonly layers: (classes: number) => Layer }
  );

const NO_HIDDEN: Head = { hidden: [] };
const WIDE: Head = { hidden: [4096, 4096], dropout: 0.5 };

export const ARCHITECTURES = {
  "fashion-cnn": {
    summary: "three convolutions with batch norm, for 28×28 gray",
    input: [1, 28, 28],
    classes: 10,
    head: NO_HIDDEN,
    layers: fashionCnn,
  },
  "lenet-bn": {
    summary: "LeNet-5 with batch norm and sigmoids, for 28×28 gray",
    input: [1, 28, 28],
    classes: 10,
    initialization: "xavier-uniform",
    layers: lenetBn,
  },
  alexnet: {
    summary: "AlexNet for 224×224 gray",
    input: [1, 224, 224],
    classes: 10,
    head: WIDE,
    initialization: "xavier-uniform",
    layers: alexnet,
  },
  "vgg11-small": {
    summary: "VGG-11 with a quarter of its filters, for 224×224 gray",
    input: [1, 224, 224],
    classes: 10,
    head: WIDE,
    initialization: "xavier-uniform",
    layers: vgg11(16),
  },
  vgg11: {
    summary: "VGG-11 for 224×224 gray",
    input: [1, 224, 224],
    classes: 10,
    head: WIDE,
    initialization: "xavier-uniform",
    layers: vgg11(64),
  },
  "resnet18-gray": {
    summary: "ResNet-18 with 1×1 projections, for 96×96 gray",
    input: [1, 96, 96],
    classes: 10,
    head: NO_HIDDEN,
    initialization: "xavier-uniform",
    layers: resnet18Gray,
  },
  minivgg: {
    summary: "a small VGG for 64×64 colour",
    input: [3, 64, 64],
    classes: 100,
    head: { hidden: [512, 256], dropout: 0.3 },
    layers: miniVgg(false),
  },
  "minivgg-bn": {
    summary: "a small VGG with batch norm for 64×64 colour",
    input: [3, 64, 64],
    classes: 100,
    head: { hidden: [512, 256], dropout: 0.3 },
    layers: miniVgg(true),
  },
  "mini-resnet": {
    summary: "a residual network of four blocks for 64×64 colour",
    input: [3, 64, 64],
    classes: 100,
    head: NO_HIDDEN,
    layers: miniResnet,
  },
  "cifar-convnet": {
    summary: "seven unpadded convolutions with batch norm, for 32×32 colour",
    input: [3, 32, 32],
    classes: 10,
    head: { hidden: [128, 64] },
    layers: cifarConvnet([0, 1, 2, 3, 4, 5]),
  },
  "cifar-convnet-no-bn": {
    summary: "the same with a single batch norm",
    input: [3, 32, 32],
    classes: 10,
    head: { hidden: [128, 64] },
    layers: cifarConvnet([3]),
  },
  "whitened-convnet": {
    summary: "six convolutions behind a fixed whitening of patches, for 32×32 colour in few epochs",
    input: [3, 32, 32],
    classes: 10,
    head: NO_HIDDEN,
    layers: whitenedConvnet([64, 192, 256], { shiftRate: 64 }),
  },
  "whitened-convnet-gray": {
    summary: "the same, narrower, for 28×28 gray",
    input: [1, 28, 28],
    classes: 10,
    head: NO_HIDDEN,
    layers: whitenedConvnet([32, 128, 192]),
  },
  convnet1: {
    summary: "three convolutions with batch norm for 224×224 colour",
    input: [3, 224, 224],
    classes: 1000,
    head: NO_HIDDEN,
    layers: convnet(1),
  },
  convnet2: { summary: "the same with five", input: [3, 224, 224], classes: 1000, head: NO_HIDDEN, layers: convnet(2) },
  convnet3: { summary: "the same with seven", input: [3, 224, 224], classes: 1000, head: NO_HIDDEN, layers: convnet(3) },
  resnet18: {
    summary: "ResNet-18 for 224×224 colour, as torchvision has it",
    input: [3, 224, 224],
    classes: 1000,
    head: NO_HIDDEN,
    layers: resnet18,
  },
  densenet169: {
    summary: "DenseNet-169 for 224×224 colour, as torchvision has it",
    input: [3, 224, 224],
    classes: 1000,
    head: NO_HIDDEN,
    layers: densenet169,
  },
} as const satisfies Readonly<Record<string, Architecture>>;

export interface NetworkOptions {
  readonly classes?: number;
  /** One image, [C, H, W]. */
  readonly input?: readonly [number, number, number];
  /** Other hidden layers than its own. */
  readonly head?: Head;
  /** How the weights of its convolutions and linear layers are drawn, other than its source says. */
  readonly initialization?: WeightInitializer;
}

/**
 * A network by its architecture's name.
 * @throws UsageError for an unknown name, with the nearest, or a head where it has none. ShapeError where the input is too small for it.
 */
export function createNetwork(name: string, options: NetworkOptions = {}): Network {
  const architecture: Architecture = lookUp("model", ARCHITECTURES as Readonly<Record<string, Architecture>>, name);
  const { classes = architecture.classes, input = architecture.input, initialization = architecture.initialization } = options;
  const net = network(name, layersOf(name, architecture, classes, options.head), { input });
  return initialization ? initializedWith(net, lookUp("initialization", WEIGHT_INITIALIZERS, initialization)) : net;
}

function layersOf(name: string, architecture: Architecture, classes: number, head: Head | undefined): Layer {
  if (architecture.head) return architecture.layers(classes, head ?? architecture.head);
  if (head)
    throw new UsageError(`head: the hidden layers of '${name}' cannot be replaced. To fix: leave the head out, or choose another network.`);
  return architecture.layers(classes);
}
