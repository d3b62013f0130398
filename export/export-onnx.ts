import { FivecropError } from "../core/errors.ts";
import { nearestNames } from "../core/nearest.ts";
import type { Named } from "../core/session.ts";
import type { Graph, Value } from "../models/graph/graph.ts";
import { appendMetadata, type ModelMetadata } from "./metadata.ts";
import { foldBatchNorm } from "./passes/fold-batch-norm.ts";
import { removeIdentity } from "./passes/remove-identity.ts";
import { serialize } from "./serialize.ts";

export interface ExportOptions {
  /** The forward graph, with its batch "N". */
  readonly graph: Graph;
  /** Trained tensors by their initializers' names: parameters and running statistics. Initializers that are not named keep their own. */
  readonly weights: Named;
  /** The initializers that must be among the weights: a network's `parameters.keys()`, for example. */
  readonly parameters?: Iterable<Value>;
  readonly metadata: ModelMetadata;
}

/**
 * A trained network as the bytes of an ONNX file: weights set, batch norms folded, a card of metadata inside.
 * @throws FivecropError where a weight is missing, is of another shape, or has no place; or labels or preprocessing do not fit the graph.
 */
export function exportOnnx({ graph, weights, parameters = [], metadata }: ExportOptions): Uint8Array {
  checkContract(graph, metadata);
  for (const { name } of parameters)
    if (!Object.hasOwn(weights, name)) throw new FivecropError(`export: the weight '${name}' of '${graph.name}' is missing`);
  return appendMetadata(serialize(foldBatchNorm(removeIdentity(setWeights(graph, weights)))), metadata);
}

/**
 * The same graph with other tensors for some of its initializers.
 * @throws FivecropError where a tensor has no initializer of its name, or another shape or type than it.
 */
export function setWeights(graph: Graph, weights: Named): Graph {
  const names = Array.from(graph.initializers.keys(), ({ name }) => name);
  const held = new Set(names);
  for (const name of Object.keys(weights))
    if (!held.has(name)) {
      const [nearest] = nearestNames(name, names, 1);
      throw new FivecropError(`weights: '${graph.name}' has no weight '${name}'.${nearest ? ` The nearest name is '${nearest}'.` : ""}`);
    }
  const initializers = new Map(
    Array.from(graph.initializers, ([value, own]) => {
      if (!Object.hasOwn(weights, value.name)) return [value, own];
      const given = weights[value.name];
      if (given.dtype !== own.dtype || String(given.shape) !== String(own.shape))
        throw new FivecropError(
          `weights: '${value.name}': expected ${own.dtype} [${own.shape}] as in '${graph.name}', received ${given.dtype} [${given.shape}]`,
        );
      return [value, given];
    }),
  );
  return { ...graph, initializers };
}

/** The card must be of this graph: a label for each output, preprocessing that makes what the graph takes. */
function checkContract({ name, inputs, outputs }: Graph, { labels, preprocess }: ModelMetadata): void {
  const classes = outputs[0].shape[1];
  if (labels.length !== classes) throw new FivecropError(`export: '${name}' has ${classes} outputs, and there are ${labels.length} labels`);
  const taken = inputs[0].shape.slice(1);
  const made = [preprocess.channels, ...preprocess.crop];
  if (String(taken) !== String(made))
    throw new FivecropError(`export: '${name}' takes images of [C, H, W] = [${taken}], and the preprocessing makes them [${made}]`);
}
