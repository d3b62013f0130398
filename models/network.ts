import { FivecropError, UsageError } from "../core/errors.ts";
import { random } from "../core/random.ts";
import type { Named } from "../core/session.ts";
import { type Tensor, tensor } from "../core/tensor.ts";
import { type Graph, knownShape, type Node, type Value } from "./graph/graph.ts";
import type { Initializer } from "./layers/initializers.ts";
import { type Layer, rootScope } from "./layers/layer.ts";
import { graphBuilder } from "./ops/index.ts";

/** Images [N, C, H, W] → logits [N, classes]: a forward graph of standard ONNX operators, and which of its initializers are learned. */
export interface Network {
  readonly name: string;
  readonly graph: Graph;
  readonly parameters: ReadonlyMap<Value, Initializer>;
  /** Constant factors of the step's learning rate, by parameter name: 1 where there is none; 0 is frozen. */
  readonly rateFactors?: ReadonlyMap<string, number>;
  /** The same layers for images of another size. Absent where the layers are not known: of a parsed file. */
  readonly atSize?: (input: ImageShape) => Network;
}

/** One image, [C, H, W]. */
export type ImageShape = readonly [number, number, number];

/**
 * A network from its layers.
 * @param options.input one image, [C, H, W]
 * @throws ShapeError that names the layer, where layers do not fit.
 */
export function network(name: string, layers: Layer, options: { readonly input: ImageShape }): Network {
  const g = graphBuilder();
  const parameters = new Map<Value, Initializer>();
  const rateFactors = new Map<string, number>();
  const logits = layers(g.input("images", "float32", ["N", ...options.input]), rootScope(g, parameters, rateFactors));
  return { name, graph: g.build(name, [logits]), parameters, rateFactors, atSize: (input) => network(name, layers, { input }) };
}

/**
 * The network for images of another size, with weights of the same names and shapes. It takes images of any size: where its weights fit the size asked
 * for by chance, but not the double of its own, it is refused as well.
 * @throws UsageError that names the network and why, where it does not take them.
 */
export function networkForSize(net: Network, input: ImageShape): Network {
  const [C, H, W] = net.graph.inputs[0].shape.slice(1).map(Number);
  if (String([C, H, W]) === String(input)) return net;
  const refuse = (why: string, cause?: unknown): UsageError =>
    new UsageError(
      `network '${net.name}', made for images of [C, H, W] = [${[C, H, W]}], does not take them of [${input}]: ${why}. ` +
        "To fix: choose another size, or a network that ends its convolutions in a global or adaptive pool.",
      { cause },
    );
  const { atSize } = net;
  if (!atSize) throw refuse("its layers are not known, only its graph is");
  const at = (size: ImageShape): Network => {
    let other: Network;
    try {
      other = atSize(size);
    } catch (cause) {
      if (cause instanceof FivecropError) throw refuse(cause.message, cause);
      throw cause;
    }
    const shapes = new Map([...other.parameters.keys()].map((value) => [value.name, knownShape(value)]));
    for (const value of net.parameters.keys())
      if (String(shapes.get(value.name)) !== String(knownShape(value)))
        throw refuse(`at [${size}] its weight '${value.name}' would be [${shapes.get(value.name)}] instead of [${knownShape(value)}]`);
    return other;
  };
  at([C, 2 * H, 2 * W]);
  return at(input);
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

/** Whether a step changes a value: it is a parameter, and not frozen. */
export const isTrained = ({ parameters, rateFactors }: Network, value: Value): boolean =>
  parameters.has(value) && rateFactors?.get(value.name) !== 0;

/** Whether training normalizes by the batch there and moves the running statistics: of a norm whose scale and shift are frozen it does neither. */
export const isTrainedNorm = (net: Network, { op, inputs: [, scale, bias] }: Node): boolean =>
  op === "BatchNormalization" && [scale, bias].some((value) => value && isTrained(net, value));

/** How many numbers there are to learn; of those that are not frozen where `trained` is said. */
export const parameterCount = (net: Network, trained = false): number =>
  [...net.parameters.keys()]
    .filter((value) => !trained || isTrained(net, value))
    .reduce((sum, value) => sum + knownShape(value).reduce((size, d) => size * d, 1), 0);

/** The classes that the network tells apart: its logits' width. */
export const classCount = (net: Network): number => Number(net.graph.outputs[0].shape[1]);
