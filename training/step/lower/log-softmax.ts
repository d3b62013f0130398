import { int64 } from "../../../core/tensor.ts";
import { canonicalAxis } from "../../../models/graph/shape.ts";
import { asItIs, type Formulation, NOT_ON_WEBGPU, only, passCost } from "./formulation.ts";

/** x − max − ln Σ exp(x − max): WebGPU has no operator for it. */
const byParts: Formulation = {
  name: "by its parts, standard",
  plan: (node) => ({ inputs: ["standard"], outputs: ["standard"], cost: passCost(node.inputs, 5) }),
  emit(g, node, [x]) {
    const axes = g.initializer("axes", int64([canonicalAxis(node.attributes.axis as number, x!.shape.length)]));
    const below = g.add("Sub", [x, g.add("ReduceMax", [x, axes], { keepdims: 1 })]);
    const sum = g.add("ReduceSum", [g.add("Exp", [below]), axes], { keepdims: 1 });
    return [g.add("Sub", [below, g.add("Log", [sum])], {}, node.name)];
  },
};

export const logSoftmax: readonly Formulation[] = [only(NOT_ON_WEBGPU, asItIs()), only(["webgpu"], byParts)];
