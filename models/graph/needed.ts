import type { Graph, Node, Value } from "./graph.ts";

/** Everything that values depend on, themselves included. @param nodes in execution order */
export function neededFor(nodes: readonly Node[], values: readonly Value[]): ReadonlySet<Value> {
  const needed = new Set(values);
  for (const { inputs, outputs } of nodes.toReversed())
    if (outputs.some((value) => needed.has(value))) for (const value of inputs) if (value) needed.add(value);
  return needed;
}

/** Without nodes and initializers that no output needs. Graph inputs stay, used or not. */
export function dropDead(graph: Graph): Graph {
  const needed = neededFor(graph.nodes, graph.outputs);
  return {
    ...graph,
    nodes: graph.nodes.filter(({ outputs }) => outputs.some((value) => needed.has(value))),
    initializers: new Map([...graph.initializers].filter(([value]) => needed.has(value))),
  };
}
