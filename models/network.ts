import { random } from "../core/random.ts";
import type { Named } from "../core/session.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { type Graph, knownShape, type Value } from "./graph/graph.ts";
import type { Initializer } from "./layers/initializers.ts";
import { type Layer, rootScope } from "./layers/layer.ts";
import { graphBuilder } from "./ops/index.ts";

/** Images [N, C, H, W] → logits [N, classes]: a forward graph of standard ONNX operators, and which of its initializers are learned. */
export interface Network {
  readonly name: string;
  readonly graph: Graph;
  readonly parameters: ReadonlyMap<Value, Initializer>;
}

/**
 * A network from its layers.
 * @param options.input one image, [C, H, W]
 * @throws ShapeError that names the layer, where layers do not fit.
 */
export function network(name: string, layers: Layer, options: { readonly input: readonly [number, number, number] }): Network {
  const g = graphBuilder();
  const parameters = new Map<Value, Initializer>();
  const logits = layers(g.input("images", "float32", ["N", ...options.input]), rootScope(g, parameters));
  return { name, graph: g.build(name, [logits]), parameters };
}

/** The first values of all parameters. Each draws from its own stream, so that they do not depend on one another's order. */
export function initialParameters(net: Network, seed: number): Named<Tensor<"float32">> {
  const stream = random(seed).fork("initialize");
  return Object.fromEntries(
    [...net.parameters].map(([value, initializer]) => {
      const shape = knownShape(value);
      return [value.name, tensor("float32", shape, initializer(shape, stream.fork(value.name)))];
    }),
  );
}

/** The same network with its weights (of convolutions and linear layers: all that have inputs and outputs) drawn in one way; biases and norms keep theirs. */
export function initializedWith(net: Network, initializer: Initializer): Network {
  const parameters = [...net.parameters].map(([value, own]) => [value, value.shape.length > 1 ? initializer : own] as const);
  return { ...net, parameters: new Map(parameters) };
}

/** How many numbers are learned. */
export const parameterCount = (net: Network): number =>
  [...net.parameters.keys()].reduce((sum, value) => sum + knownShape(value).reduce((size, d) => size * d, 1), 0);

/** The classes that the network tells apart: its logits' width. */
export const classCount = (net: Network): number => Number(net.graph.outputs[0].shape[1]);
