import { countUses, type Graph, type Node } from "./graph/graph.ts";

/** What a classifier's output is, by its last operator. */
export type FinalOutput = "logits" | "probabilities" | "log-probabilities";

const FINAL: Readonly<Record<string, FinalOutput>> = { Softmax: "probabilities", LogSoftmax: "log-probabilities" };

const lastNode = (graph: Graph): Node | undefined => graph.nodes.find((node) => node.outputs[0] === graph.outputs[0]);

export const finalOutput = (graph: Graph): FinalOutput => FINAL[lastNode(graph)?.op ?? ""] ?? "logits";

/** The graph up to its logits: without a softmax or log-softmax at its end. */
export function toLogits(graph: Graph): Graph {
  const last = lastNode(graph);
  if (!last || finalOutput(graph) === "logits" || countUses(graph).get(graph.outputs[0]) !== 1) return graph;
  return { ...graph, nodes: graph.nodes.filter((node) => node !== last), outputs: [last.inputs[0]!] };
}
