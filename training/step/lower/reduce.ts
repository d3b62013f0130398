import { int64, numbersOf } from "../../../core/tensor.ts";
import { knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { canonicalAxis } from "../../../models/graph/shape.ts";
import { reshape } from "../../../models/ops/shared.ts";
import { asItIs, type ConstantOf, type Formulation, NOT_ON_WEBGPU, only, passCost, physicalAxis, physicalShape } from "./formulation.ts";

/** The logical axes that a reduction sums over. */
function axesOf(node: Node, constantOf: ConstantOf): number[] {
  const rank = node.inputs[0]!.shape.length;
  const given = node.inputs[1] ? numbersOf(constantOf(node.inputs[1])!) : [];
  return given.length ? given.map((axis) => canonicalAxis(axis, rank)) : Array.from({ length: rank }, (_, i) => i);
}

/** Where the batch is summed away the result is standard, else innermost. */
const innermost: Formulation = {
  name: "innermost",
  plan(node, constantOf) {
    if (node.inputs[0]!.shape.length < 2 || node.attributes.noop_with_empty_axes) return undefined;
    const layout = axesOf(node, constantOf).includes(0) ? "standard" : "innermost";
    return { inputs: ["innermost", "standard"], outputs: [layout], cost: passCost(node.inputs) };
  },
  emit(g, node, [x]) {
    const rank = node.inputs[0]!.shape.length;
    const logical = axesOf(node, (value: Value) => g.constantOf(value));
    const axes = logical.map((axis) => physicalAxis(axis, rank, "innermost")).sort((a, b) => a - b);
    const reduced = g.add(node.op, [x, g.initializer("axes", int64(axes))], { keepdims: 1 });
    return [reshape(g, reduced, physicalShape(knownShape(node.outputs[0]), logical.includes(0) ? "standard" : "innermost"), node.name)];
  },
};

export const reducing: readonly Formulation[] = [asItIs((node) => passCost(node.inputs)), innermost];

/** Over no axes it is x², which WebGPU's operator takes for x. */
const squares: Formulation = {
  name: "x² over no axes, standard",
  plan: (node, constantOf) =>
    overNone(node, constantOf)
      ? { inputs: ["standard", "standard"], outputs: ["standard"], cost: passCost([...node.inputs, ...node.outputs]) }
      : undefined,
  emit: (g, node, [x]) => [g.add("Mul", [x, x], {}, node.name)],
};

const overNone = (node: Node, constantOf: ConstantOf): boolean =>
  node.attributes.noop_with_empty_axes === 1 && (!node.inputs[1] || constantOf(node.inputs[1])?.data.length === 0);

export const reducingSquares: readonly Formulation[] = [
  ...reducing.map((formulation) => only(NOT_ON_WEBGPU, formulation, overNone)),
  squares,
];
