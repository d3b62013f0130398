import { float32 } from "../../../core/tensor.ts";
import { knownShape } from "../../../models/graph/graph.ts";
import { asItIs, type Formulation, passCost } from "./formulation.ts";

/** Of images: height and width are axes 2 and 3 there as well. */
const innermost: Formulation = {
  name: "innermost",
  plan(node) {
    const [from, to] = [knownShape(node.inputs[0]!), knownShape(node.outputs[0])];
    if (from.length !== 4 || from[0] !== to[0]) return undefined;
    return { inputs: ["innermost", "standard", "standard", "standard"], outputs: ["innermost"], cost: passCost(node.outputs) };
  },
  emit(g, node, [x]) {
    const [from, to] = [knownShape(node.inputs[0]!), knownShape(node.outputs[0])];
    const scales = [1, ...to.slice(1).map((size, i) => size / from[i + 1]), 1];
    return [g.add("Resize", [x, undefined, g.initializer("scales", float32(scales))], node.attributes, node.name)];
  },
};

export const resizing: readonly Formulation[] = [asItIs((node) => passCost(node.outputs)), innermost];
