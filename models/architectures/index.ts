import { lookUp } from "../../core/nearest.ts";
import type { Layer } from "../layers/layer.ts";
import { type Network, network } from "../network.ts";
import { fashionCnn } from "./fashion-cnn.ts";
import { lenetBn } from "./lenet-bn.ts";
import { miniVgg } from "./minivgg.ts";

export interface Architecture {
  readonly summary: string;
  /** The image that it was made for, [C, H, W]. */
  readonly input: readonly [number, number, number];
  readonly classes: number;
  readonly layers: (classes: number) => Layer;
}

export const ARCHITECTURES = {
  "fashion-cnn": { summary: "three convolutions with batch norm, for 28×28 gray", input: [1, 28, 28], classes: 10, layers: fashionCnn },
  "lenet-bn": { summary: "LeNet-5 with batch norm and sigmoids, for 28×28 gray", input: [1, 28, 28], classes: 10, layers: lenetBn },
  minivgg: { summary: "a small VGG for 64×64 colour", input: [3, 64, 64], classes: 100, layers: miniVgg(false) },
  "minivgg-bn": { summary: "a small VGG with batch norm for 64×64 colour", input: [3, 64, 64], classes: 100, layers: miniVgg(true) },
} as const satisfies Readonly<Record<string, Architecture>>;

/**
 * A network by its architecture's name.
 * @throws UsageError for an unknown name, with the nearest. ShapeError where the input is too small for it.
 */
export function createNetwork(
  name: string,
  options: { readonly classes?: number; readonly input?: readonly [number, number, number] } = {},
): Network {
  const architecture: Architecture = lookUp("model", ARCHITECTURES as Readonly<Record<string, Architecture>>, name);
  const { classes = architecture.classes, input = architecture.input } = options;
  return network(name, architecture.layers(classes), { input });
}
