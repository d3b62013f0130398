import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { reshape } from "../../../models/ops/shared.ts";
import { asItIs, type Formulation, type Layout, passCost } from "./formulation.ts";

const LAYOUTS = ["standard", "innermost"] as const;

/** Innermost, a matrix is its transpose: Gemm reads and writes either without moving anything, by its flags, and by (A · B)ᵀ = Bᵀ · Aᵀ. */
const gemmIn = (a: Layout, b: Layout, y: Layout): Formulation => ({
  name: `A ${a}, B ${b}, Y ${y}`,
  plan(node) {
    const [rows, columns] = knownShape(node.outputs[0]);
    const [first, second] = knownShape(node.inputs[0]!);
    const inner = node.attributes.transA ? first : second;
    return { inputs: [a, b, "standard"], outputs: [y], cost: passCost(node.outputs) + 2 * rows * columns * inner * 0.01 };
  },
  emit(g, node, [A, B, C]) {
    const { transA, transB, alpha, beta } = node.attributes as { transA: number; transB: number; alpha: number; beta: number };
    const [tA, tB] = [transA ^ Number(a === "innermost"), transB ^ Number(b === "innermost")];
    if (y === "standard") return [g.add("Gemm", [A, B, C], { alpha, beta, transA: tA, transB: tB }, node.name)];
    return [g.add("Gemm", [B, A, C && transposedBias(g, C)], { alpha, beta, transA: 1 - tB, transB: 1 - tA }, node.name)];
  },
});

/** C of a transposed product: [columns] → [columns, 1]. */
function transposedBias(g: GraphBuilder, c: Value): Value {
  const shape = knownShape(c);
  if (shape.length === 0) return c;
  return shape.length === 1 ? reshape(g, c, [shape[0], 1]) : g.add("Transpose", [c], { perm: [1, 0] });
}

export const gemm: readonly Formulation[] = LAYOUTS.flatMap((a) => LAYOUTS.flatMap((b) => LAYOUTS.map((y) => gemmIn(a, b, y))));

const matMulOperations = (node: Node): number => {
  const inner = knownShape(node.inputs[0]!).at(-1)!;
  return 2 * inner * knownShape(node.outputs[0]).reduce((size, d) => size * d, 1);
};

/** M · x along the height of every channel, or x · M along the width, for a matrix M: with the batch last, a product for each row of blocks. */
const matrixAlongAxis: Formulation = {
  name: "a matrix along one axis, innermost",
  plan(node) {
    const [a, b] = node.inputs.map((value) => value!.shape.length);
    const cost = passCost([...node.inputs, ...node.outputs]) + matMulOperations(node) * 0.02;
    if (a === 2 && b === 4) return { inputs: ["standard", "innermost"], outputs: ["innermost"], cost };
    if (a === 4 && b === 2) return { inputs: ["innermost", "standard"], outputs: ["innermost"], cost };
    return undefined;
  },
  emit(g, node, [a, b]) {
    const target = knownShape(node.outputs[0]);
    const [batch, channels, height, width] = target;
    if (node.inputs[0]!.shape.length === 2) {
      const inner = knownShape(node.inputs[0]!)[1];
      const product = g.add("MatMul", [a, reshape(g, b!, [channels, inner, width * batch])]);
      return [reshape(g, product, [1, channels, height, width, batch], node.name)];
    }
    const inner = knownShape(node.inputs[1]!)[0];
    const matrix = g.add("Transpose", [b], { perm: [1, 0] });
    const product = g.add("MatMul", [matrix, reshape(g, a!, [channels * height, inner, batch])]);
    return [reshape(g, product, [1, channels, height, width, batch], node.name)];
  },
};

export const matMul: readonly Formulation[] = [asItIs((node) => passCost(node.outputs) + matMulOperations(node) * 0.02), matrixAlongAxis];
