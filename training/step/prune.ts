import type { Graph, Node, Value } from "../../models/graph/graph.ts";
import { dropDead } from "../../models/graph/needed.ts";
import { collapseMovement } from "./collapse-movement.ts";

/** Without nodes that no output needs, without a second computation of the same thing, and without movements that the next one undoes. Graph inputs stay, used or not. */
export const prune = (graph: Graph): Graph => dropDead(mergeEqual(collapseMovement(graph)));

/** One node for all that have the same operator, inputs and attributes; one initializer for all small ones of the same numbers. */
function mergeEqual(graph: Graph): Graph {
  const ids = new Map<Value, number>();
  const same = new Map<Value, Value>();
  const at = (value: Value): Value => same.get(value) ?? value;
  const id = (value: Value | undefined): number => {
    if (!value) return -1;
    if (!ids.has(value)) ids.set(value, ids.size);
    return ids.get(value)!;
  };
  const constants = new Map<string, Value>();
  for (const [value, { dtype, shape, data }] of graph.initializers) {
    if (data.length > 64) continue;
    const key = `${dtype} [${shape}] ${data}`;
    if (constants.has(key)) same.set(value, constants.get(key)!);
    else constants.set(key, value);
  }
  const seen = new Map<string, Node>();
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const inputs = node.inputs.map((value) => value && at(value));
    const key = `${node.op} ${inputs.map(id)} ${JSON.stringify(node.attributes, plain)}`;
    const twin = seen.get(key);
    if (!twin) {
      const kept = { ...node, inputs };
      seen.set(key, kept);
      return [kept];
    }
    node.outputs.forEach((value, i) => {
      same.set(value, twin.outputs[i]);
    });
    return [];
  });
  return { ...graph, nodes, outputs: graph.outputs.map(at) };
}

/** JSON has no numbers as large as int64's. */
const plain = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}` : value);
