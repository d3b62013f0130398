import { FivecropError } from "../../core/errors.ts";
import { sizeOf, type Tensor, tensor, zeros } from "../../core/tensor.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Value } from "../graph/graph.ts";
import type { Initializer } from "./initializers.ts";

/** A layer is a function from a value to a value; the scope's path is its weights' name, as in a PyTorch state dict. It knows nothing of training. */
export type Layer = (x: Value, scope: Scope) => Value;

/** Where a layer stands in the network: it names what the layer adds. */
export interface Scope {
  readonly graph: GraphBuilder;
  /** `features.0`; empty at the top. */
  readonly path: string;
  child(name: string): Scope;
  /** A learned tensor. @param rateFactor what multiplies the learning rate for it: 1 where it is left out */
  parameter(name: string, shape: readonly number[], initializer: Initializer, rateFactor?: number): Value;
  /** A tensor that training keeps but does not learn by gradient: a running statistic. */
  state(name: string, shape: readonly number[], value: number): Value;
  /** A tensor that never changes. */
  constant(name: string, value: Tensor): Value;
}

/**
 * The top scope of a graph. Parameters are noted with their initializers, and their rate factors by name where they are not 1; their tensors in the graph
 * are zeros until values are drawn or loaded. Their names are unique.
 */
export function rootScope(graph: GraphBuilder, parameters: Map<Value, Initializer>, rateFactors = new Map<string, number>()): Scope {
  const taken = (name: string, t: Tensor): Value => {
    const value = graph.initializer(name, t);
    if (value.name !== name)
      throw new FivecropError(`two weights have the name '${name}'. To fix: give each layer a scope of its own (scope.child).`);
    return value;
  };
  const at = (path: string): Scope => {
    const named = (name: string) => (path ? `${path}.${name}` : name);
    return {
      graph,
      path,
      child: (name) => at(named(name)),
      parameter(name, shape, initializer, rateFactor = 1) {
        const value = taken(named(name), zeros("float32", shape));
        parameters.set(value, initializer);
        if (rateFactor !== 1) rateFactors.set(value.name, rateFactor);
        return value;
      },
      state: (name, shape, value) => taken(named(name), tensor("float32", shape, new Float32Array(sizeOf(shape)).fill(value))),
      constant: (name, value) => graph.initializer(named(name), value),
    };
  };
  return at("");
}
