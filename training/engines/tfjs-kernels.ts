import type { OpName } from "../../models/ops/index.ts";
import * as activations from "./tfjs-activations.ts";
import { batchNormalization } from "./tfjs-batch-norm.ts";
import * as constants from "./tfjs-constants.ts";
import { convolution, transposedConvolution } from "./tfjs-convolution.ts";
import * as elementwise from "./tfjs-elementwise.ts";
import type { Kernel } from "./tfjs-kernel.ts";
import { gemm, matMul } from "./tfjs-matrix.ts";
import * as movement from "./tfjs-movement.ts";
import { instanceNormalization, layerNormalization, localResponseNormalization } from "./tfjs-normalization.ts";
import { averagePool, globalAveragePool, globalMaxPool, maxPool } from "./tfjs-pool.ts";
import * as reduce from "./tfjs-reduce.ts";

/** The operators of a forward graph: all but the trainer's own. */
export type ForwardOp = Exclude<OpName, "BatchMoments" | `${string}Gradient`>;

/** Every operator of a forward graph as tensorflow computes it. Gradients are tensorflow's own. */
export const KERNELS: Readonly<Record<ForwardOp, Kernel>> = {
  Abs: activations.abs,
  Add: elementwise.binary("add"),
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Cast: elementwise.cast,
  Ceil: elementwise.unary("ceil"),
  Clip: elementwise.clip,
  Concat: movement.concat,
  ConstantOfShape: constants.constantOfShape,
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  CumSum: reduce.cumSum,
  Div: elementwise.binary("div"),
  Dropout: elementwise.dropout,
  Elu: activations.elu,
  Equal: elementwise.comparison("equal"),
  Erf: elementwise.unary("erf"),
  Exp: elementwise.unary("exp"),
  Expand: movement.expand,
  Flatten: movement.toOutputShape,
  Floor: elementwise.unary("floor"),
  Gather: movement.gather,
  Gelu: activations.gelu,
  Gemm: gemm,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
  Greater: elementwise.comparison("greater"),
  GreaterOrEqual: elementwise.comparison("greaterEqual"),
  HardSigmoid: activations.hardSigmoid,
  HardSwish: activations.hardSwish,
  Identity: elementwise.identity,
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
  LeakyRelu: activations.leakyRelu,
  Log: elementwise.unary("log"),
  LogSoftmax: reduce.alongAxis((tf, x) => tf.logSoftmax(x)),
  LRN: localResponseNormalization,
  MatMul: matMul,
  Max: elementwise.extreme("maximum"),
  MaxPool: maxPool,
  Min: elementwise.extreme("minimum"),
  Mul: elementwise.binary("mul"),
  Neg: elementwise.unary("neg"),
  Pad: movement.pad,
  Pow: elementwise.binary("pow"),
  PRelu: activations.prelu,
  Range: constants.range,
  Reciprocal: elementwise.unary("reciprocal"),
  ReduceL2: reduce.reduceL2,
  ReduceMax: reduce.reduceMax,
  ReduceMean: reduce.reduction((tf, x, axes) => tf.mean(x, axes, true)),
  ReduceProd: reduce.reduction((tf, x, axes) => tf.prod(x, axes, true)),
  ReduceSum: reduce.reduction((tf, x, axes) => tf.sum(x, axes, true)),
  ReduceSumSquare: reduce.reduction(
    (tf, x, axes) => tf.sum(tf.square(x), axes, true),
    (tf, x) => tf.square(x),
  ),
  Relu: elementwise.relu,
  Reshape: movement.toOutputShape,
  Resize: movement.resize,
  Shape: constants.shape,
  Sigmoid: elementwise.unary("sigmoid"),
  Slice: movement.slice,
  Softmax: reduce.alongAxis((tf, x) => tf.softmax(x)),
  Softplus: elementwise.unary("softplus"),
  Split: movement.split,
  Sqrt: elementwise.unary("sqrt"),
  Squeeze: movement.toOutputShape,
  Sub: elementwise.binary("sub"),
  Sum: elementwise.sum,
  Tanh: elementwise.unary("tanh"),
  Transpose: movement.transpose,
  Unsqueeze: movement.toOutputShape,
  Where: elementwise.where,
};
