import type { OpName } from "../../../models/ops/index.ts";
import { batchMoments, batchMomentsGradient, batchNormalization, batchNormGradient } from "./batch-norm.ts";
import { conv } from "./conv.ts";
import { convInputGradient, convTranspose } from "./conv-input-gradient.ts";
import { convWeightGradient } from "./conv-weight-gradient.ts";
import { casting, elementwise, identity, lrn, power, reluGradient, sigmoidGradient, sum } from "./elementwise.ts";
import { asItIs, type Formulation } from "./formulation.ts";
import { globalAveragePool, globalMaxPool } from "./global-pool.ts";
import { logSoftmax } from "./log-softmax.ts";
import { gemm, matMul } from "./matrix.ts";
import { concatenating, expanding, gathering, padding, reshaping, slicing, splitting, transposing } from "./movement.ts";
import { averagePoolGradient, maxPoolGradient, pool } from "./pool.ts";
import { reducing, reducingSquares } from "./reduce.ts";
import { resizing } from "./resize.ts";

/** Operators that are only ever computed as they are. */
const standardOnly: readonly Formulation[] = [asItIs()];

/** Every way to compute each operator, in plain ONNX operators. */
export const FORMULATIONS: { readonly [K in OpName]: readonly Formulation[] } = {
  Abs: elementwise,
  Add: elementwise,
  AveragePool: pool,
  AveragePoolGradient: averagePoolGradient,
  BatchMoments: batchMoments,
  BatchMomentsGradient: batchMomentsGradient,
  BatchNormalization: batchNormalization,
  BatchNormGradient: batchNormGradient,
  Cast: casting,
  Ceil: elementwise,
  Clip: elementwise,
  Concat: concatenating,
  ConstantOfShape: standardOnly,
  Conv: conv,
  ConvInputGradient: convInputGradient,
  ConvTranspose: convTranspose,
  ConvWeightGradient: convWeightGradient,
  CumSum: standardOnly,
  Div: elementwise,
  Dropout: identity,
  Elu: elementwise,
  Equal: elementwise,
  Erf: elementwise,
  Exp: elementwise,
  Expand: expanding,
  Flatten: reshaping,
  Floor: elementwise,
  Gather: gathering,
  Gelu: elementwise,
  Gemm: gemm,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
  Greater: elementwise,
  GreaterOrEqual: elementwise,
  HardSigmoid: elementwise,
  HardSwish: elementwise,
  Identity: identity,
  InstanceNormalization: standardOnly,
  LayerNormalization: standardOnly,
  LeakyRelu: elementwise,
  Log: elementwise,
  LogSoftmax: logSoftmax,
  LRN: lrn,
  MatMul: matMul,
  Max: elementwise,
  MaxPool: pool,
  MaxPoolGradient: maxPoolGradient,
  Min: elementwise,
  Mul: elementwise,
  Neg: elementwise,
  Pad: padding,
  Pow: power,
  PRelu: elementwise,
  Range: standardOnly,
  Reciprocal: elementwise,
  ReduceL2: reducing,
  ReduceMax: reducing,
  ReduceMean: reducing,
  ReduceProd: reducing,
  ReduceSum: reducing,
  ReduceSumSquare: reducingSquares,
  Relu: elementwise,
  ReluGradient: reluGradient,
  Reshape: reshaping,
  Resize: resizing,
  Shape: standardOnly,
  Sigmoid: elementwise,
  SigmoidGradient: sigmoidGradient,
  Slice: slicing,
  Softmax: standardOnly,
  Softplus: elementwise,
  Split: splitting,
  Sqrt: elementwise,
  Squeeze: reshaping,
  Sub: elementwise,
  Sum: sum,
  Tanh: elementwise,
  Transpose: transposing,
  Unsqueeze: reshaping,
  Where: elementwise,
};
