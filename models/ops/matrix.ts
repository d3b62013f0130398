import { ShapeError } from "../../core/errors.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import type { Dimension, Value } from "../graph/graph.ts";
import { float, int, type OpDefinition } from "../graph/op.ts";
import { broadcast, needAll, needRank } from "../graph/shape.ts";
import { type NoAttributes, sumTo } from "./shared.ts";

type GemmAttributes = { alpha: number; beta: number; transA: number; transB: number };

export const Gemm: OpDefinition<GemmAttributes> = {
  summary: "alpha · A' · B' + beta · C, A' and B' transposed where transA or transB says so.",
  sinceOpset: 13,
  attributes: { alpha: float(1), beta: float(1), transA: int(0), transB: int(0) },
  infer(inputs, { transA, transB }) {
    const [a, b] = needAll(inputs, ["A", "B"]);
    needRank(a, 2, "A");
    needRank(b, 2, "B");
    const [rows, inner] = transA ? [a.shape[1], a.shape[0]] : a.shape;
    const [innerB, columns] = transB ? [b.shape[1], b.shape[0]] : b.shape;
    if (inner !== innerB) throw new ShapeError(`inner dimensions differ: ${inner} and ${innerB}`);
    const shape: readonly Dimension[] = [rows, columns];
    const c = inputs[2];
    if (c && String(broadcast(shape, c.shape)) !== String(shape)) throw new ShapeError(`C [${c.shape}] does not broadcast to [${shape}]`);
    return [{ dtype: a.dtype, shape }];
  },
  gradient(g, { inputs: [a, b, c], attributes: { alpha, beta, transA, transB }, gradients: [gradient] }) {
    const dy = gradient!;
    const times = (x: Value, y: Value, tX: number, tY: number) => g.add("Gemm", [x, y], { alpha, transA: tX, transB: tY });
    return [
      transA ? times(b, dy, transB, 1) : times(dy, b, 0, 1 - transB),
      transB ? times(dy, a, 1, transA) : times(a, dy, 1 - transA, 0),
      c && sumTo(g, beta === 1 ? dy : g.add("Mul", [dy, g.scalar(beta)]), c),
    ];
  },
};

const transposed = (g: GraphBuilder, x: Value): Value => {
  const axes = x.shape.map((_, i) => i);
  return g.add("Transpose", [x], { perm: [...axes.slice(0, -2), axes.length - 1, axes.length - 2] });
};

export const MatMul: OpDefinition<NoAttributes> = {
  summary: "Matrix product over the last two axes; the axes before them broadcast.",
  sinceOpset: 13,
  attributes: {},
  infer(inputs) {
    const [a, b] = needAll(inputs, ["A", "B"]);
    if (a.shape.length < 2 || b.shape.length < 2) throw new ShapeError(`expected matrices, received [${a.shape}] and [${b.shape}]`);
    const inner = a.shape[a.shape.length - 1];
    if (inner !== b.shape[b.shape.length - 2]) throw new ShapeError(`inner dimensions differ: ${inner} and ${b.shape[b.shape.length - 2]}`);
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return [{ dtype: a.dtype, shape: [...batch, a.shape[a.shape.length - 2], b.shape[b.shape.length - 1]] }];
  },
  gradient(g, { inputs: [a, b], gradients: [gradient] }) {
    const dy = gradient!;
    return [sumTo(g, g.add("MatMul", [dy, transposed(g, b)]), a), sumTo(g, g.add("MatMul", [transposed(g, a), dy]), b)];
  },
};
