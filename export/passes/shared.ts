import { countUses, type Graph, type Value } from "../../models/graph/graph.ts";

/** The same graph without the initializers that nothing reads. */
export function dropUnused(graph: Graph): Graph {
  const uses = countUses(graph);
  return { ...graph, initializers: new Map([...graph.initializers].filter(([value]) => uses.has(value))) };
}

/** Gives each wanted name once: with a number behind it where the graph, or an earlier caller, has it already. */
export function namer(graph: Graph): (wanted: string) => string {
  const values: Value[] = [...graph.inputs, ...graph.initializers.keys(), ...graph.nodes.flatMap((node) => node.outputs)];
  const names = new Set(values.map(({ name }) => name));
  return (wanted) => {
    let name = wanted;
    for (let i = 2; names.has(name); i++) name = `${wanted}_${i}`;
    names.add(name);
    return name;
  };
}
