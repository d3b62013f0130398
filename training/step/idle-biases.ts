import { countUses, type Graph, type Node, type Value } from "../../models/graph/graph.ts";

/**
 * Biases whose gradient is exactly 0: those of a convolution or linear layer that only a batch norm reads, which takes every constant away again.
 * Computed, it would be the sum of rounding errors.
 * @param isTrained whether a node is a batch norm that normalizes by the batch
 */
export function idleBiases(graph: Graph, isTrained: (norm: Node) => boolean): ReadonlySet<Value> {
  const uses = countUses(graph);
  const producer = new Map(graph.nodes.map((node) => [node.outputs[0], node]));
  const biases = graph.nodes.flatMap((norm) => {
    const [x] = norm.inputs;
    const layer = isTrained(norm) && x && uses.get(x) === 1 ? producer.get(x) : undefined;
    const bias = layer?.op === "Conv" || layer?.op === "Gemm" ? layer.inputs[2] : undefined;
    return bias && bias.shape.length === 1 && uses.get(bias) === 1 ? [bias] : [];
  });
  return new Set(biases);
}
