import { GraphBuilder } from "../graph/builder.ts";
import type { Graph } from "../graph/graph.ts";
import type { OpTable } from "../graph/op.ts";
import * as arithmetic from "./arithmetic.ts";
import { BatchMoments, BatchMomentsGradient, BatchNormalization, BatchNormGradient } from "./batch-norm.ts";
import { Conv, ConvInputGradient, ConvTranspose, ConvWeightGradient } from "./conv.ts";
import { Dropout } from "./dropout.ts";
import * as elementwise from "./elementwise.ts";
import { Gemm, MatMul } from "./matrix.ts";
import { Concat, Expand, Flatten, Gather, Pad, Reshape, Slice, Transpose } from "./movement.ts";
import { AveragePool, AveragePoolGradient, GlobalAveragePool, MaxPool, MaxPoolGradient } from "./pool.ts";
import { CumSum, ReduceMax, ReduceMean, ReduceSum, ReduceSumSquare } from "./reduce.ts";
import { LogSoftmax, Softmax } from "./softmax.ts";

/** Every operator that a graph may hold: ONNX's by their own names, and the trainer's, which are lowered before they run. */
export const OPS = {
  Add: arithmetic.Add,
  AveragePool,
  AveragePoolGradient,
  BatchMoments,
  BatchMomentsGradient,
  BatchNormalization,
  BatchNormGradient,
  Cast: elementwise.Cast,
  Clip: elementwise.Clip,
  Concat,
  Conv,
  ConvInputGradient,
  ConvTranspose,
  ConvWeightGradient,
  CumSum,
  Div: arithmetic.Div,
  Dropout,
  Equal: arithmetic.Equal,
  Exp: elementwise.Exp,
  Expand,
  Flatten,
  Gather,
  Gemm,
  GlobalAveragePool,
  Greater: arithmetic.Greater,
  GreaterOrEqual: arithmetic.GreaterOrEqual,
  Identity: elementwise.Identity,
  Log: elementwise.Log,
  LogSoftmax,
  MatMul,
  Max: arithmetic.Max,
  MaxPool,
  MaxPoolGradient,
  Min: arithmetic.Min,
  Mul: arithmetic.Mul,
  Neg: elementwise.Neg,
  Pad,
  Pow: arithmetic.Pow,
  ReduceMax,
  ReduceMean,
  ReduceSum,
  ReduceSumSquare,
  Relu: elementwise.Relu,
  ReluGradient: elementwise.ReluGradient,
  Reshape,
  Sigmoid: elementwise.Sigmoid,
  SigmoidGradient: elementwise.SigmoidGradient,
  Slice,
  Softmax,
  Sqrt: elementwise.Sqrt,
  Sub: arithmetic.Sub,
  Tanh: elementwise.Tanh,
  Transpose,
} as const satisfies OpTable;

export type OpName = keyof typeof OPS;

/** A new graph over these operators, or one that goes on from another. */
export const graphBuilder = (from?: Graph): GraphBuilder => new GraphBuilder(OPS, from);
