import { GraphBuilder } from "../graph/builder.ts";
import type { Graph } from "../graph/graph.ts";
import type { OpTable } from "../graph/op.ts";
import * as activations from "./activations.ts";
import * as arithmetic from "./arithmetic.ts";
import { Split, Squeeze, Unsqueeze } from "./axes.ts";
import { BatchMoments, BatchMomentsGradient, BatchNormalization, BatchNormGradient } from "./batch-norm.ts";
import { ConstantOfShape, Range, Shape, Where } from "./constants.ts";
import { Conv, ConvInputGradient, ConvTranspose, ConvWeightGradient } from "./conv.ts";
import { Dropout } from "./dropout.ts";
import * as elementwise from "./elementwise.ts";
import { Gather } from "./gather.ts";
import { Gemm, MatMul } from "./matrix.ts";
import { Concat, Expand, Flatten, Pad, Reshape, Slice, Transpose } from "./movement.ts";
import { InstanceNormalization, LayerNormalization, LRN } from "./normalization.ts";
import { AveragePool, AveragePoolGradient, GlobalAveragePool, GlobalMaxPool, MaxPool, MaxPoolGradient } from "./pool.ts";
import { CumSum, ReduceL2, ReduceMax, ReduceMean, ReduceProd, ReduceSum, ReduceSumSquare } from "./reduce.ts";
import { Resize } from "./resize.ts";
import { LogSoftmax, Softmax } from "./softmax.ts";

/** Every operator that a graph may hold: ONNX's by their own names, and the trainer's, which are lowered before they run. */
export const OPS = {
  Abs: elementwise.Abs,
  Add: arithmetic.Add,
  AveragePool,
  AveragePoolGradient,
  BatchMoments,
  BatchMomentsGradient,
  BatchNormalization,
  BatchNormGradient,
  Cast: elementwise.Cast,
  Ceil: elementwise.Ceil,
  Clip: elementwise.Clip,
  Concat,
  ConstantOfShape,
  Conv,
  ConvInputGradient,
  ConvTranspose,
  ConvWeightGradient,
  CumSum,
  Div: arithmetic.Div,
  Dropout,
  Elu: activations.Elu,
  Equal: arithmetic.Equal,
  Erf: elementwise.Erf,
  Exp: elementwise.Exp,
  Expand,
  Flatten,
  Floor: elementwise.Floor,
  Gather,
  Gelu: activations.Gelu,
  Gemm,
  GlobalAveragePool,
  GlobalMaxPool,
  Greater: arithmetic.Greater,
  GreaterOrEqual: arithmetic.GreaterOrEqual,
  HardSigmoid: activations.HardSigmoid,
  HardSwish: activations.HardSwish,
  Identity: elementwise.Identity,
  InstanceNormalization,
  LayerNormalization,
  LeakyRelu: activations.LeakyRelu,
  Log: elementwise.Log,
  LogSoftmax,
  LRN,
  MatMul,
  Max: arithmetic.Max,
  MaxPool,
  MaxPoolGradient,
  Min: arithmetic.Min,
  Mul: arithmetic.Mul,
  Neg: elementwise.Neg,
  Pad,
  Pow: arithmetic.Pow,
  PRelu: activations.PRelu,
  Range,
  Reciprocal: elementwise.Reciprocal,
  ReduceL2,
  ReduceMax,
  ReduceMean,
  ReduceProd,
  ReduceSum,
  ReduceSumSquare,
  Relu: elementwise.Relu,
  ReluGradient: elementwise.ReluGradient,
  Reshape,
  Resize,
  Shape,
  Sigmoid: elementwise.Sigmoid,
  SigmoidGradient: elementwise.SigmoidGradient,
  Slice,
  Softmax,
  Softplus: activations.Softplus,
  Split,
  Sqrt: elementwise.Sqrt,
  Squeeze,
  Sub: arithmetic.Sub,
  Sum: arithmetic.Sum,
  Tanh: elementwise.Tanh,
  Transpose,
  Unsqueeze,
  Where,
} as const satisfies OpTable;

export type OpName = keyof typeof OPS;

/** A new graph over these operators, or one that goes on from another. */
export const graphBuilder = (from?: Graph): GraphBuilder => new GraphBuilder(OPS, from);
