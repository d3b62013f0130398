import type { Graph, Value } from "../models/graph/graph.ts";

/** The same graph with other names for some of its values. A value that keeps its name keeps its identity. */
export function rename(graph: Graph, names: ReadonlyMap<Value, string>): Graph {
  const renamed = new Map<Value, Value>();
  for (const [value, name] of names) if (value.name !== name) renamed.set(value, { ...value, name });
  return substitute(graph, renamed);
}

/** The same graph with values in place of others, wherever they are read, computed, held or given. */
export function substitute(graph: Graph, replacements: ReadonlyMap<Value, Value>): Graph {
  const at = (value: Value): Value => replacements.get(value) ?? value;
  return {
    ...graph,
    inputs: graph.inputs.map(at),
    outputs: graph.outputs.map(at),
    initializers: new Map(Array.from(graph.initializers, ([value, t]) => [at(value), t])),
    nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map((value) => value && at(value)), outputs: node.outputs.map(at) })),
  };
}
