import { lookUp } from "../core/nearest.ts";
import { initializers } from "../models/layers/index.ts";
import type { Network } from "../models/network.ts";

/** How weights can be drawn in place of the way that a network's layers say. */
export const INITIALIZATIONS = {
  "xavier-uniform": initializers.xavierUniform,
  "he-normal": initializers.heNormalFanOut,
  "uniform-fan-in": initializers.uniformFanIn,
} as const satisfies Readonly<Record<string, initializers.Initializer>>;

/**
 * The network with other first values of the weights of its convolutions and linear layers; biases and norms stay as they are.
 * @throws UsageError for an unknown name, with the nearest.
 */
export function withInitialization(network: Network, name: string): Network {
  const initializer = lookUp<initializers.Initializer>("initialization", INITIALIZATIONS, name);
  const parameters = Array.from(network.parameters, ([value, own]) => [value, value.shape.length >= 2 ? initializer : own] as const);
  return { ...network, parameters: new Map(parameters) };
}
