import { ARCHITECTURES, createNetwork, type NetworkOptions } from "../../models/architectures/index.ts";
import type { Network } from "../../models/network.ts";

export type ArchitectureName = keyof typeof ARCHITECTURES;
export const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES) as ArchitectureName[];

const narrow: NetworkOptions = { head: { hidden: [48, 32] } };
const photo: NetworkOptions = { classes: 10, input: [3, 64, 64] };

/** Small images, and narrow heads instead of those with up to 400 MB of weights: every operator of the network stays. */
const SMALL: Readonly<Partial<Record<ArchitectureName, NetworkOptions>>> = {
  alexnet: { ...narrow, input: [1, 67, 67] },
  "vgg11-small": { ...narrow, input: [1, 32, 32] },
  vgg11: { ...narrow, input: [1, 32, 32] },
  "resnet18-gray": { input: [1, 48, 48] },
  convnet1: photo,
  convnet2: photo,
  convnet3: photo,
  resnet18: photo,
  densenet169: photo,
};

/** An architecture for tests that train, export or write it. */
export const smallNetwork = (name: ArchitectureName): Network => createNetwork(name, SMALL[name]);

/** One image of a network, [C, H, W]. */
export const imageOf = (network: Network): readonly [number, number, number] =>
  network.graph.inputs[0].shape.slice(1) as unknown as readonly [number, number, number];
