// The arithmetic of a step, counted from the network's graph.

import { sizeOf } from "../dist/core/tensor.js";
import { withBatch } from "../dist/models/graph/with-batch.js";
import { OPS } from "../dist/models/ops/index.js";

/** Multiply-adds of one node that has a learned weight: every output pixel sees each number of its filter once. */
function multiplyAdds({ op, inputs, outputs }) {
  const weight = inputs[1].shape;
  if (op === "Conv") return sizeOf(outputs[0].shape) * sizeOf(weight.slice(1));
  return sizeOf(outputs[0].shape) * (sizeOf(weight) / outputs[0].shape.at(-1)); // Gemm, MatMul
}

/**
 * Floating-point operations of convolutions and linear layers: two for each multiply-add; forward, and in a training step the gradient of the weight
 * and, but at the first layer, of the input. Padding, pools, norms and updates are not counted.
 * @returns {{ forward: number, step: number }}
 */
export function operations({ graph, parameters }, batch) {
  const fixed = withBatch(graph, batch, OPS);
  const learned = new Set([...parameters.keys()].map(({ name }) => name));
  const needsGradient = new Set();
  let [forward, step] = [0, 0];
  for (const node of fixed.nodes) {
    const inputs = node.inputs.filter(Boolean);
    const [x, weight] = inputs;
    if (["Conv", "Gemm", "MatMul"].includes(node.op) && learned.has(weight?.name)) {
      const once = 2 * multiplyAdds(node);
      forward += once;
      step += once * (needsGradient.has(x.name) ? 3 : 2);
    }
    if (inputs.some(({ name }) => learned.has(name) || needsGradient.has(name)))
      for (const { name } of node.outputs) needsGradient.add(name);
  }
  return { forward, step };
}
