import { type Case, type Input, makeCase, normal } from "./case.ts";

const gemm = (name: string, inputs: readonly (Input | undefined)[], attributes = {}): Case =>
  makeCase("Gemm", name, inputs, { attributes });

export const Gemm = [
  gemm("plain", [normal(2, 3), normal(3, 4)]),
  gemm("a fully connected layer", [normal(2, 3), normal(4, 3), normal(4)], { transB: 1 }),
  gemm("transA", [normal(3, 2), normal(3, 4), normal(2, 4)], { transA: 1 }),
  gemm("transA, transB, alpha, beta, C by columns", [normal(3, 2), normal(4, 3), normal(2, 1)], {
    transA: 1,
    transB: 1,
    alpha: 0.5,
    beta: -2,
  }),
  gemm("transB, C scalar", [normal(2, 3), normal(4, 3), normal()], { transB: 1, beta: 0.25 }),
  gemm("beta 0", [normal(2, 3), normal(3, 4), normal(1, 4)], { beta: 0 }),
  gemm("alpha without C", [normal(2, 3), normal(3, 1)], { alpha: 3 }),
  gemm("one number", [normal(1, 1), normal(1, 1), normal(1)]),
  gemm("an outer product", [normal(3, 1), normal(1, 2), normal(3, 2)]),
];

const matmul = (name: string, a: Input, b: Input): Case => makeCase("MatMul", name, [a, b]);

export const MatMul = [
  matmul("matrices", normal(2, 3), normal(3, 4)),
  matmul("a stack and one matrix", normal(2, 2, 3), normal(3, 2)),
  matmul("one matrix and a stack", normal(2, 3), normal(3, 3, 2)),
  matmul("stacks that broadcast both ways", normal(2, 1, 2, 3), normal(3, 3, 2)),
  matmul("equal stacks, rank 4", normal(2, 2, 1, 3), normal(2, 2, 3, 2)),
  matmul("stacks of five axes that broadcast both ways", normal(2, 1, 2, 2, 3), normal(3, 1, 3, 2)),
  matmul("a stack of one", normal(1, 2, 3), normal(2, 3, 1)),
  matmul("a matrix along the height of images", normal(5, 4), normal(3, 2, 4, 6)),
  matmul("a matrix along the width of images", normal(3, 2, 4, 6), normal(6, 5)),
];
