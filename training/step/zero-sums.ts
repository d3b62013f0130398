import { numbersOf, type Tensor, zeros } from "../../core/tensor.ts";
import { type Graph, knownShape, type Node, type Value } from "../../models/graph/graph.ts";
import { axesButChannels } from "../../models/ops/shared.ts";

/**
 * A batch norm's input gradient sums to zero over each channel, since adding a constant to the channel changes nothing behind it:
 * the bias of a convolution or linear layer before a norm has the gradient 0, and need not be summed from rounding errors.
 */
export function dropZeroSums(graph: Graph): Graph {
  const centered = new Set(graph.nodes.flatMap((node) => (node.op === "BatchNormGradient" ? [node.outputs[0]] : [])));
  const isZero = ({ op, inputs: [x, axes] }: Node): boolean =>
    op === "ReduceSum" &&
    x !== undefined &&
    axes !== undefined &&
    centered.has(x) &&
    String(numbersOf(graph.initializers.get(axes)!)) === String(axesButChannels(x.shape.length));
  const known = graph.nodes.filter(isZero).map(({ outputs: [sum] }): [Value, Tensor] => [sum, zeros("float32", knownShape(sum))]);
  return { ...graph, nodes: graph.nodes.filter((node) => !isZero(node)), initializers: new Map([...graph.initializers, ...known]) };
}
