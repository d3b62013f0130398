import type { OpName } from "../../../models/ops/index.ts";
import { batchMoments, batchMomentsGradient, batchNormalization, batchNormGradient } from "./batch-norm.ts";
import { conv } from "./conv.ts";
import { convInputGradient, convTranspose } from "./conv-input-gradient.ts";
import { convWeightGradient } from "./conv-weight-gradient.ts";
import { casting, elementwise, identity, power, reluGradient, sigmoidGradient } from "./elementwise.ts";
import { asItIs, type Formulation } from "./formulation.ts";
import { globalAveragePool } from "./global-pool.ts";
import { logSoftmax } from "./log-softmax.ts";
import { gemm, matMul } from "./matrix.ts";
import { concatenating, expanding, padding, reshaping, slicing } from "./movement.ts";
import { averagePoolGradient, maxPoolGradient, pool } from "./pool.ts";
import { reducing, reducingSquares } from "./reduce.ts";

/** Operators that are only ever computed as they are. */
const standardOnly: readonly Formulation[] = [asItIs()];

/** Every way to compute each operator, in plain ONNX operators. */
export const FORMULATIONS: { readonly [K in OpName]: readonly Formulation[] } = {
  Add: elementwise,
  AveragePool: pool,
  AveragePoolGradient: averagePoolGradient,
  BatchMoments: batchMoments,
  BatchMomentsGradient: batchMomentsGradient,
  BatchNormalization: batchNormalization,
  BatchNormGradient: batchNormGradient,
  Cast: casting,
  Clip: elementwise,
  Concat: concatenating,
  Conv: conv,
  ConvInputGradient: convInputGradient,
  ConvTranspose: convTranspose,
  ConvWeightGradient: convWeightGradient,
  CumSum: standardOnly,
  Div: elementwise,
  Dropout: identity,
  Equal: elementwise,
  Exp: elementwise,
  Expand: expanding,
  Flatten: reshaping,
  Gather: standardOnly,
  Gemm: gemm,
  GlobalAveragePool: globalAveragePool,
  Greater: elementwise,
  GreaterOrEqual: elementwise,
  Identity: identity,
  Log: elementwise,
  LogSoftmax: logSoftmax,
  MatMul: matMul,
  Max: elementwise,
  MaxPool: pool,
  MaxPoolGradient: maxPoolGradient,
  Min: elementwise,
  Mul: elementwise,
  Neg: elementwise,
  Pad: padding,
  Pow: power,
  ReduceMax: reducing,
  ReduceMean: reducing,
  ReduceSum: reducing,
  ReduceSumSquare: reducingSquares,
  Relu: elementwise,
  ReluGradient: reluGradient,
  Reshape: reshaping,
  Sigmoid: elementwise,
  SigmoidGradient: sigmoidGradient,
  Slice: slicing,
  Softmax: standardOnly,
  Sqrt: elementwise,
  Sub: elementwise,
  Tanh: elementwise,
  Transpose: standardOnly,
};
