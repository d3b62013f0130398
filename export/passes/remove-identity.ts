import type { Graph, Value } from "../../models/graph/graph.ts";
import { substitute } from "../substitute.ts";
import { dropUnused } from "./shared.ts";

/** What lets its input through: always, and at inference. */
const ALWAYS: readonly string[] = ["Identity"];
const AT_INFERENCE: readonly string[] = ["Identity", "Dropout"];

/**
 * Takes out Identity, and Dropout, which does nothing at inference: their readers read what they read.
 * The graph's outputs keep their names; where a name would be lost (an input or initializer given as it is, one value given twice) the node stays.
 * @param toTrain the graph is to be trained: its Dropout stays
 */
export function removeIdentity(graph: Graph, { toTrain = false }: { readonly toTrain?: boolean } = {}): Graph {
  const removed = toTrain ? ALWAYS : AT_INFERENCE;
  const computed = new Set(graph.nodes.flatMap((node) => node.outputs));
  const given = new Set(graph.outputs);
  const replacements = new Map<Value, Value>();
  const at = (value: Value): Value => {
    const next = replacements.get(value);
    return next ? at(next) : value;
  };
  const nodes = graph.nodes.filter((node) => {
    if (!removed.includes(node.op) || !node.inputs[0]) return true;
    const from = at(node.inputs[0]);
    const [to] = node.outputs;
    if (!given.has(to)) replacements.set(to, from);
    else if (computed.has(from) && !given.has(from)) replacements.set(from, to);
    else return true;
    return false;
  });
  const direct = new Map([...replacements.keys()].map((value) => [value, at(value)]));
  return dropUnused(substitute({ ...graph, nodes }, direct));
}
