import type { OpName } from "../../models/ops/index.ts";
import { batchNormalization } from "./tfjs-batch-norm.ts";
import { convolution, transposedConvolution } from "./tfjs-convolution.ts";
import * as elementwise from "./tfjs-elementwise.ts";
import type { Kernel } from "./tfjs-kernel.ts";
import { gemm, matMul } from "./tfjs-matrix.ts";
import * as movement from "./tfjs-movement.ts";
import { averagePool, globalAveragePool, maxPool } from "./tfjs-pool.ts";
import * as reduce from "./tfjs-reduce.ts";

/** The operators of a forward graph: all but the trainer's own. */
export type ForwardOp = Exclude<OpName, "BatchMoments" | `${string}Gradient`>;

/** Every operator of a forward graph as tensorflow computes it. Gradients are tensorflow's own. */
export const KERNELS: Readonly<Record<ForwardOp, Kernel>> = {
  Add: elementwise.binary("add"),
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Cast: elementwise.cast,
  Clip: elementwise.clip,
  Concat: movement.concat,
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  CumSum: reduce.cumSum,
  Div: elementwise.binary("div"),
  Dropout: elementwise.dropout,
  Equal: elementwise.comparison("equal"),
  Exp: elementwise.unary("exp"),
  Expand: movement.expand,
  Flatten: movement.toOutputShape,
  Gather: movement.gather,
  Gemm: gemm,
  GlobalAveragePool: globalAveragePool,
  Greater: elementwise.comparison("greater"),
  GreaterOrEqual: elementwise.comparison("greaterEqual"),
  Identity: elementwise.identity,
  Log: elementwise.unary("log"),
  LogSoftmax: reduce.alongAxis((tf, x) => tf.logSoftmax(x)),
  MatMul: matMul,
  Max: elementwise.binary("maximum"),
  MaxPool: maxPool,
  Min: elementwise.binary("minimum"),
  Mul: elementwise.binary("mul"),
  Neg: elementwise.unary("neg"),
  Pad: movement.pad,
  Pow: elementwise.binary("pow"),
  ReduceMax: reduce.reduceMax,
  ReduceMean: reduce.reduction((tf, x, axes) => tf.mean(x, axes, true)),
  ReduceSum: reduce.reduction((tf, x, axes) => tf.sum(x, axes, true)),
  ReduceSumSquare: reduce.reduction((tf, x, axes) => tf.sum(tf.square(x), axes, true)),
  Relu: elementwise.relu,
  Reshape: movement.toOutputShape,
  Sigmoid: elementwise.unary("sigmoid"),
  Slice: movement.slice,
  Softmax: reduce.alongAxis((tf, x) => tf.softmax(x)),
  Sqrt: elementwise.unary("sqrt"),
  Sub: elementwise.binary("sub"),
  Tanh: elementwise.unary("tanh"),
  Transpose: movement.transpose,
};
