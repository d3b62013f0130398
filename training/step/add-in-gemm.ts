import { numbersOf } from "../../core/tensor.ts";
import { countUses, type Graph, type Node, type Value } from "../../models/graph/graph.ts";
import { dropDead } from "../../models/graph/needed.ts";
import { sameShape } from "../../models/ops/shared.ts";

/**
 * A · B + β · C → Gemm(A, B, C) with this β, where nothing else reads the product: what a linear layer's gradient is added to, the velocity or the decayed weights,
 * takes two passes over the weights less, and a copy of them less.
 */
export function addInGemm(graph: Graph): Graph {
  const uses = countUses(graph);
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((value): [Value, Node] => [value, node])));
  const producerOf = (value: Value | undefined): Node | undefined => value && producers.get(value);
  const productOf = (value: Value): Node | undefined => {
    const node = producerOf(value);
    return node?.op === "Gemm" && !node.inputs[2] && uses.get(value) === 1 ? node : undefined;
  };
  /** C and β of a value that is β · C for a constant β. */
  const multipleOf = (value: Value): readonly [Value, number] | undefined => {
    const node = producerOf(value);
    if (node?.op !== "Mul") return undefined;
    const [c, factor] = node.inputs as [Value, Value];
    const constant = graph.initializers.get(factor);
    return constant?.data.length === 1 ? [c, numbersOf(constant)[0]] : undefined;
  };
  const nodes = graph.nodes.map((node): Node => {
    if (node.op !== "Add") return node;
    for (const [product, addend] of [node.inputs, node.inputs.toReversed()] as [Value, Value][]) {
      const [gemm, multiple] = [productOf(product), multipleOf(addend)];
      if (gemm && multiple && sameShape(multiple[0].shape, product.shape))
        return {
          ...gemm,
          name: node.name,
          inputs: [...gemm.inputs.slice(0, 2), multiple[0]],
          attributes: { ...gemm.attributes, beta: multiple[1] },
          outputs: node.outputs,
        };
    }
    return node;
  });
  return dropDead({ ...graph, nodes });
}
