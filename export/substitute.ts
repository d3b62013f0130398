import type { Graph, Value } from "../models/graph/graph.ts";

/** The same graph with other names for some of its values. A value that keeps its name keeps its identity. */
export function rename(graph: Graph, names: ReadonlyMap<Value, string>): Graph {
  const renamed = new Map<Value, Value>();
  for (const [value, name] of names) if (value.name !== name) renamed.set(value, { ...value, name });
  return substitute(graph, renamed);
}

/** The same with these names; a value without one that has the name of another gets a number behind it. */
export function withNames(graph: Graph, names: ReadonlyMap<Value, string>): Graph {
  const taken = new Set(names.values());
  const others = [...graph.inputs, ...graph.initializers.keys(), ...graph.nodes.flatMap((node) => node.outputs)].filter(
    (value) => !names.has(value),
  );
  const free = (name: string, i = 2): string => (taken.has(`${name}_${i}`) ? free(name, i + 1) : `${name}_${i}`);
  const renamed = others.flatMap((value) => {
    const name = taken.has(value.name) ? free(value.name) : value.name;
    taken.add(name);
    return name === value.name ? [] : [[value, name] as const];
  });
  return rename(graph, new Map([...names, ...renamed]));
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
