import { int64 } from "../../../core/tensor.ts";
import { asItIs, type Formulation, passCost } from "./formulation.ts";

/** The operator itself would pool over the batch as well: batch innermost, it is a reduction over height and width. */
const overPixels = (op: string): readonly Formulation[] => [
  asItIs((node) => passCost(node.inputs)),
  {
    name: `${op} over height and width, innermost`,
    plan: (node) =>
      node.inputs[0]!.shape.length === 4 ? { inputs: ["innermost"], outputs: ["innermost"], cost: passCost(node.inputs) } : undefined,
    emit: (g, node, [x]) => [g.add(op, [x, g.initializer("axes", int64([2, 3]))], { keepdims: 1 }, node.name)],
  },
];

export const globalAveragePool = overPixels("ReduceMean");
export const globalMaxPool = overPixels("ReduceMax");
