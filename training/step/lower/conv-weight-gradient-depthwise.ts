import { float32, int64 } from "../../../core/tensor.ts";
import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { type ConvAttributes, windowOf } from "../../../models/ops/conv.ts";
import { pad } from "../../../models/ops/movement.ts";
import { reshape } from "../../../models/ops/shared.ts";
import { type Formulation, passCost } from "./formulation.ts";

const measure = (node: Node) => {
  const [x, dy] = node.inputs.map((value) => knownShape(value!));
  const [filters, , ...kernel] = knownShape(node.outputs[0]);
  const [batch, channels, ...input] = x;
  return { batch, channels, filters, kernel, input, output: dy.slice(2), window: windowOf(node.attributes as unknown as ConvAttributes) };
};

/** For each tap of a column, which rows of x and dy meet in it: x's row i · stride + tap · dilation − pad and dy's row i. [H · oH, taps] */
function meetings(g: GraphBuilder, node: Node): Value {
  const { kernel, input, output, window } = measure(node);
  const [rows, outputs, taps] = [input[0], output[0], kernel[0]];
  const matrix = new Float32Array(rows * outputs * taps);
  for (let tap = 0; tap < taps; tap++)
    for (let i = 0; i < outputs; i++) {
      const row = i * window.strides[0] + tap * window.dilations[0] - window.pads[0];
      if (row >= 0 && row < rows) matrix[(row * outputs + i) * taps + tap] = 1;
    }
  return g.initializer("meetings", float32(matrix, [rows * outputs, taps]));
}

/**
 * One channel a group: for each column of taps, the products of all rows of x, moved along the width, with all rows of dy, as one stack of matrix products
 * [C, H, oW · N] · [C, oW · N, oH]; each tap is the sum of those that meet in it. Most products are not wanted, but as matrices they cost least.
 */
export const productsOfRows: Formulation = {
  name: "products of rows, innermost",
  plan(node) {
    const { batch, filters, channels, kernel, input, output } = measure(node);
    const [perFilter] = knownShape(node.outputs[0]).slice(1);
    if (node.outputs[0].shape.length !== 4 || perFilter !== 1 || node.attributes.group !== channels) return undefined;
    const operations = 2 * kernel[1] * filters * input[0] * output[0] * output[1] * batch;
    return { inputs: ["innermost", "innermost"], outputs: ["standard"], cost: operations * 0.01 + passCost(node.inputs, 2 * kernel[1]) };
  },
  emit(g, node, [x, dy]) {
    const { batch, channels, filters, kernel, input, output, window } = measure(node);
    const multiplier = filters / channels;
    const length = output[1] * batch;
    const given = reshape(g, dy!, [channels, multiplier * output[0], length]);
    const columns = g.add("Transpose", [given], { perm: [0, 2, 1] });
    const padded = pad(g, x!, 3, window.pads[1], window.pads[3]);
    const belongs = meetings(g, node);
    const taps = Array.from({ length: kernel[1] }, (_, tap) => {
      const start = tap * window.dilations[1];
      const lists = [start, start + (output[1] - 1) * window.strides[1] + 1, 3, window.strides[1]].map((n) =>
        g.initializer("tap", int64([n])),
      );
      const rows = reshape(g, g.add("Slice", [padded, ...lists]), [channels, input[0], length]);
      const products = reshape(g, g.add("MatMul", [rows, columns]), [channels, input[0], multiplier, output[0]]);
      const byFilter = multiplier === 1 ? products : g.add("Transpose", [products], { perm: [0, 2, 1, 3] });
      const sums = g.add("MatMul", [reshape(g, byFilter, [filters, input[0] * output[0]]), belongs]);
      return reshape(g, sums, [filters, kernel[0], 1]);
    });
    const weights = taps.length === 1 ? taps[0] : g.add("Concat", taps, { axis: 2 });
    return [reshape(g, weights, knownShape(node.outputs[0]), node.name)];
  },
};
