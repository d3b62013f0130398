import { float32, int64, type Tensor, tensor } from "../../../core/tensor.ts";
import type { Attributes, Dimension } from "../../../models/graph/graph.ts";
import type { OpName } from "../../../models/ops/index.ts";

/** A call that cannot be: a float32 input of this shape, an initializer, or none; and the words that its message must have. */
export interface Bad {
  readonly inputs: readonly (readonly Dimension[] | Tensor | undefined)[];
  readonly attributes?: Attributes;
  readonly says: string;
}

/** A float32 input, by its shape. */
const x = (...shape: Dimension[]): readonly Dimension[] => shape;

const bad = (says: string, inputs: Bad["inputs"], attributes?: Attributes): Bad => ({ says, inputs, attributes });

const binary = [
  bad("shapes [2,3] and [4] do not broadcast (3 against 4)", [x(2, 3), x(4)]),
  bad("shapes [N,4] and [8,4] do not broadcast (N against 8)", [x("N", 4), x(8, 4)]),
  bad("types differ: float32 and int64", [x(2), int64([1, 2])]),
  bad("its input 'B' is missing", [x(2)]),
  bad("expected 2 inputs, received 3", [x(2), x(2), x(2)]),
];
const variadic = [
  bad("shapes [2,3] and [4] do not broadcast (3 against 4)", [x(2, 3), x(1), x(4)]),
  bad("types differ: float32 and int64", [x(2), x(2), int64([1, 2])]),
  bad("its input 'data_1' is missing", [x(2), undefined, x(2)]),
  bad("its input 'data_0' is missing", []),
];
const unary = [bad("its input 'X' is missing", [])];
const fromOutput = [bad("its input 'dy' is missing", [x(2)]), bad("y and dy must have one shape", [x(2, 3), x(3, 2)])];

const reduction = [
  bad("axis 2 is outside of a value with 2 axes", [x(2, 3), int64([2])]),
  bad("axis -3 is outside of a value with 2 axes", [x(2, 3), int64([0, -3])]),
  bad("its input 'axes' must be a constant", [x(2, 3), x(1)]),
];
const softmax = [
  bad("axis 2 is outside of a value with 2 axes", [x(2, 3)], { axis: 2 }),
  bad("axis -1 is outside of a value with 0 axes", [[]]),
];

const square = { kernel_shape: [3, 3] };
const pool = [
  bad("X: expected 4 axes, received 3 ([2,3,8])", [x(2, 3, 8)], square),
  bad("the window covers 3 pixels where the padded image has 2", [x(1, 1, 5, 2)], square),
  bad("kernel [3,3], strides [2], dilations [1,1] and pads [0,0,0,0] do not belong together", [x(1, 1, 5, 5)], {
    ...square,
    strides: [2],
  }),
  bad("strides: expected at least 1, received [1,0]", [x(1, 1, 5, 5)], { ...square, strides: [1, 0] }),
  bad("a spatial axis must not be the batch axis", [x(3, 4, 5, "N")], square),
  bad("its attribute 'kernel_shape' is missing", [x(1, 1, 5, 5)]),
  bad("it has no attribute 'auto_pad'", [x(1, 1, 5, 5)], { ...square, auto_pad: "SAME_UPPER" }),
];
const norm = (names: readonly string[]) => [
  bad(`its input '${names[1]}' is missing`, [x(2, 3, 4, 4), x(3)]),
  ...names.map((name, i) => bad(`${name}: expected [3], received [4]`, [x(2, 3, 4, 4), ...names.map((_, j) => [i === j ? 4 : 3])])),
];

/** At least one impossible call of every operator. */
export const BAD: { readonly [K in OpName]: readonly Bad[] } = {
  Add: binary,
  Sub: binary,
  Mul: binary,
  Div: binary,
  Pow: binary,
  Max: variadic,
  Min: variadic,
  Sum: variadic,
  Greater: binary,
  GreaterOrEqual: binary,
  Equal: binary,
  Identity: unary,
  Neg: unary,
  Abs: unary,
  Reciprocal: unary,
  Floor: unary,
  Ceil: unary,
  Erf: unary,
  LeakyRelu: unary,
  Elu: unary,
  Softplus: unary,
  HardSigmoid: unary,
  HardSwish: unary,
  Gelu: [...unary, bad("approximate 'sigmoid': expected 'none' or 'tanh'", [x(2)], { approximate: "sigmoid" })],
  PRelu: [
    bad("its input 'slope' is missing", [x(2)]),
    bad("shapes [2,3] and [2] do not broadcast (3 against 2)", [x(2, 3), x(2)]),
    bad("slope [2,1,3] does not broadcast to [1,3]", [x(1, 3), x(2, 1, 3)]),
    bad("types differ: float32 and int64", [x(2), int64([1, 2])]),
  ],
  Exp: unary,
  Log: unary,
  Sqrt: unary,
  Relu: unary,
  Sigmoid: unary,
  Tanh: unary,
  Dropout: [
    bad("its input 'data' is missing", []),
    bad("its input 'training_mode' is not supported: it drops in training, and never at inference", [x(2), undefined, x(1)]),
  ],
  Clip: [bad("bounds: expected scalars, received [1]", [x(2), x(1)]), bad("its input 'input' is missing", [undefined, []])],
  Cast: [bad("cannot cast to data type 10", [x(2)], { to: 10 }), bad("its attribute 'to' is missing", [x(2)])],
  ReluGradient: fromOutput,
  SigmoidGradient: fromOutput,
  Gemm: [
    bad("inner dimensions differ: 3 and 4", [x(2, 3), x(4, 5)]),
    bad("inner dimensions differ: 2 and 5", [x(2, 3), x(4, 5)], { transA: 1, transB: 1 }),
    bad("A: expected 2 axes, received 3 ([2,3,1])", [x(2, 3, 1), x(3, 4)]),
    bad("B: expected 2 axes, received 1 ([3])", [x(2, 3), x(3)]),
    bad("shapes [2,4] and [3] do not broadcast (4 against 3)", [x(2, 3), x(3, 4), x(3)]),
    bad("C [5,1,4] does not broadcast to [1,4]", [x(1, 3), x(3, 4), x(5, 1, 4)]),
  ],
  MatMul: [
    bad("inner dimensions differ: 3 and 2", [x(2, 3), x(2, 3)]),
    bad("expected matrices, received [3] and [3,2]", [x(3), x(3, 2)]),
    bad("shapes [2] and [3] do not broadcast (2 against 3)", [x(2, 4, 5), x(3, 5, 4)]),
  ],
  Flatten: [
    bad("axis 3 is outside of a value with 2 axes", [x(2, 3)], { axis: 3 }),
    bad("the batch axis cannot be merged with itself ([N,N])", [x("N", "N", 4)], { axis: 2 }),
  ],
  Reshape: [
    bad("[2,3] does not reshape to [4]", [x(2, 3), int64([4])]),
    bad("[2,3] does not reshape to [4,-1]", [x(2, 3), int64([4, -1])]),
    bad("[2,3] does not reshape to [-1,-1]", [x(2, 3), int64([-1, -1])]),
    bad("[N,4] does not reshape to [3,-1]", [x("N", 4), int64([3, -1])]),
    bad("[N,4] does not reshape to [4]", [x("N", 4), int64([4])]),
    bad("[N,4] does not reshape to [8,4]", [x("N", 4), int64([8, 4])]),
    bad("shape [0 at 2] keeps an axis that the input has not", [x(2, 3), int64([2, 3, 0])]),
    bad("its input 'shape' must be a constant", [x(2, 3), x(2)]),
  ],
  Transpose: [
    bad("perm [0,0] is no order of the axes of [2,3]", [x(2, 3)], { perm: [0, 0] }),
    bad("perm [1,-2] is no order of the axes of [2,3]", [x(2, 3)], { perm: [1, -2] }),
    bad("perm [1,0] is no order of the axes of [2,3,4]", [x(2, 3, 4)], { perm: [1, 0] }),
  ],
  Expand: [bad("shapes [2,3] and [4] do not broadcast (3 against 4)", [x(2, 3), int64([4])])],
  Concat: [
    bad("along axis 1, [2,3] and [3,3] do not fit", [x(2, 3), x(3, 3)], { axis: -1 }),
    bad("along axis 0, [2,3] and [3] do not fit", [x(2, 3), x(3)], { axis: 0 }),
    bad("types differ: float32 and int64", [x(2), int64([1])], { axis: 0 }),
    bad("a concatenated axis must not be the batch axis", [x("N", 3), x("N", 3)], { axis: 0 }),
    bad("its attribute 'axis' is missing", [x(2), x(3)]),
    bad("its input 'inputs' is missing", [], { axis: 0 }),
  ],
  Slice: [
    bad("a step of 0", [x(4), int64([0]), int64([4]), int64([0]), int64([0])]),
    bad("axis 1 is outside of a value with 1 axes", [x(4), int64([0]), int64([4]), int64([1])]),
    bad("a sliced axis must not be the batch axis", [x("N", 4), int64([0]), int64([1])]),
    bad("starts [0,0], ends [4], axes [0,1] and steps [1,1] do not belong together", [x(4, 4), int64([0, 0]), int64([4])]),
    bad("its input 'starts' must be a constant", [x(4), x(1), int64([4])]),
  ],
  Pad: [
    bad("pads: expected 4 numbers, received 2", [x(2, 3), int64([1, 1])]),
    bad("mode 'reflect' is not supported, only 'constant'", [x(4), int64([1, 1])], { mode: "reflect" }),
    bad("its input 'axes' is not supported", [x(4, 2), int64([1, 1]), undefined, int64([0])]),
    bad("axis 0 of [3] has no 4 elements to take away", [x(3), int64([-2, -2])]),
    bad("a padded axis must not be the batch axis", [x("N", 3), int64([1, 0, 0, 0])]),
  ],
  Gather: [
    bad("axis 2 is outside of a value with 2 axes", [x(2, 3), int64([0])], { axis: 2 }),
    bad("index 3 is outside of axis 1 of [2,3]", [x(2, 3), int64([0, 3])], { axis: -1 }),
    bad("index -3 is outside of axis 0 of [2,3]", [x(2, 3), int64([-3])]),
  ],
  ReduceSum: reduction,
  ReduceMean: reduction,
  ReduceSumSquare: reduction,
  ReduceMax: reduction,
  ReduceL2: reduction,
  ReduceProd: reduction,
  Squeeze: [
    bad("axis 1 of [2,3,1] is not 1", [x(2, 3, 1), int64([1])]),
    bad("axis 0 of [N,1] is not 1", [x("N", 1), int64([0])]),
    bad("axis 3 is outside of a value with 3 axes", [x(2, 3, 1), int64([3])]),
    bad("without axes a batch of one image would lose its batch axis: name the axes", [x("N", 3, 1)]),
    bad("its input 'axes' must be a constant", [x(2, 1), x(1)]),
  ],
  Unsqueeze: [
    bad("axis 4 is outside of a value with 3 axes", [x(2, 3), int64([4])]),
    bad("axes [1,-2] name one place twice", [x(2), int64([1, -2])]),
    bad("its input 'axes' is missing", [x(2, 3)]),
  ],
  Split: [
    bad("split [2,2] does not add up to axis 1 of [2,5]", [x(2, 5), int64([2, 2])], { axis: 1 }),
    bad("split [2,0] does not add up to axis 0 of [2]", [x(2), int64([2, 0])]),
    bad("a split axis must not be the batch axis", [x("N", 5), int64([1, 1])]),
    bad("its input 'split' is missing", [x(2, 5)]),
  ],
  Resize: [
    bad("mode 'cubic' is not supported, only 'nearest'", [x(1, 1, 2, 2), undefined, float32([1, 1, 2, 2])], { mode: "cubic" }),
    bad("scales: expected 4 whole numbers of at least 1, received [1,1,1.5,2]", [x(1, 1, 2, 2), undefined, float32([1, 1, 1.5, 2])]),
    bad("scales: expected 4 whole numbers of at least 1, received [2,2]", [x(1, 1, 2, 2), undefined, float32([2, 2])]),
    bad("scales: expected 4 whole numbers of at least 1, received [1,1,0.5,2]", [x(1, 1, 2, 2), undefined, undefined, int64([1, 1, 1, 4])]),
    bad("'asymmetric' with 'ceil' does not repeat each pixel 2 times", [x(1, 1, 2, 2), undefined, float32([1, 1, 2, 2])], {
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "ceil",
    }),
    bad("'tf_crop_and_resize' with 'round_prefer_floor' is not supported", [x(1, 1, 2, 2), undefined, float32([1, 1, 2, 2])], {
      coordinate_transformation_mode: "tf_crop_and_resize",
    }),
    bad("the batch axis cannot be resized", [x("N", 1, 2, 2), undefined, float32([2, 1, 2, 2])]),
    bad("its input 'scales' must be a constant", [x(1, 1, 2, 2), undefined, x(4)]),
    bad("its input 'sizes' is missing", [x(1, 1, 2, 2)]),
  ],
  LayerNormalization: [
    bad("Scale: expected [3], received [2]", [x("N", 2, 3), x(2)]),
    bad("B: expected [2,3], received [3]", [x("N", 2, 3), x(2, 3), x(3)], { axis: 1 }),
    bad("axis 3 is outside of a value with 3 axes", [x("N", 2, 3), x(3)], { axis: 3 }),
    bad("its input 'Scale' is missing", [x("N", 2, 3)]),
  ],
  InstanceNormalization: [
    bad("scale: expected [3], received [2]", [x("N", 3, 4), x(2), x(3)]),
    bad("B: expected [3], received [2]", [x("N", 3, 4), x(3), x(2)]),
    bad("input: expected [N, C, …], received [2,3]", [x(2, 3), x(3), x(3)]),
  ],
  LRN: [
    bad("its attribute 'size' is missing", [x(1, 4, 2, 2)]),
    bad("size: expected an odd number, received 4", [x(1, 4, 2, 2)], { size: 4 }),
    bad("size: expected an odd number, received -1", [x(1, 4, 2, 2)], { size: -1 }),
    bad("X: expected [N, C, …], received [2,3]", [x(2, 3)], { size: 3 }),
    bad("the channel axis must not be the batch axis", [x(1, "N", 2)], { size: 3 }),
  ],
  Shape: [bad("its input 'data' is missing", [])],
  ConstantOfShape: [
    bad("its input 'input' must be a constant", [x(2)]),
    bad("value: expected one number, received [2]", [int64([3])], { value: float32([1, 2]) }),
  ],
  Range: [
    bad("a delta of 0", [int64([0], []), int64([3], []), int64([0], [])]),
    bad("start, limit and delta must be single constants, received []", [[], [], []]),
    bad("types differ: float32 and int64", [float32([0], []), int64([3], []), float32([1], [])]),
    bad("its input 'delta' is missing", [int64([0], []), int64([3], [])]),
  ],
  Where: [
    bad("condition: expected bool, received float32", [x(2), x(2), x(2)]),
    bad("types differ: float32 and int64", [tensor("bool", [2], Uint8Array.of(0, 1)), x(2), int64([1, 2])]),
    bad("shapes [2] and [3] do not broadcast (2 against 3)", [tensor("bool", [2], Uint8Array.of(0, 1)), x(3), x(3)]),
  ],
  CumSum: [
    bad("axis 2 is outside of a value with 2 axes", [x(2, 3), int64([2], [])]),
    bad("its input 'axis' must be a constant", [x(2, 3), []]),
  ],
  Softmax: softmax,
  LogSoftmax: softmax,
  Conv: [
    bad("input channels: expected 32 (weight [16,32,3,3], group 1), received 16", [x("N", 16, 8, 8), x(16, 32, 3, 3)], square),
    bad("input channels: expected 4 (weight [4,2,3,3], group 2), received 3", [x(1, 3, 8, 8), x(4, 2, 3, 3)], { ...square, group: 2 }),
    bad("its 3 filters do not divide into 2 groups", [x(1, 4, 8, 8), x(3, 2, 3, 3)], { ...square, group: 2 }),
    bad("kernel_shape [3,3] is not the weight's ([4,2,5,5])", [x(1, 2, 8, 8), x(4, 2, 5, 5)], square),
    bad("bias: expected [4], received [2]", [x(1, 2, 8, 8), x(4, 2, 3, 3), x(2)], square),
    bad("W: expected 4 axes, received 3 ([4,2,3])", [x(1, 2, 8, 8), x(4, 2, 3)], square),
    bad("the window covers 5 pixels where the padded image has 4", [x(1, 2, 4, 6), x(4, 2, 3, 3)], { ...square, dilations: [2, 2] }),
    bad("the channel axis must not be the batch axis", [x(3, "N", 8, 8), x(4, 3, 3, 3)], square),
  ],
  ConvTranspose: [
    bad("input channels: expected 2, received 3", [x(1, 3, 4, 4), x(2, 3, 3, 3)], square),
    bad("bias: expected [6], received [3]", [x(1, 2, 4, 4), x(2, 3, 3, 3), x(3)], { ...square, group: 2 }),
    bad("kernel_shape [3,3] is not the weight's ([2,3,2,2])", [x(1, 2, 4, 4), x(2, 3, 2, 2)], square),
    bad("X: expected 4 axes, received 3 ([1,2,4])", [x(1, 2, 4), x(2, 3, 3, 3)], square),
  ],
  ConvInputGradient: [
    bad("its input 'W' is missing", [x(1, 2, 4, 4)], { ...square, input_shape: [1, 2, 6, 6] }),
    bad("its attribute 'input_shape' is missing", [x(1, 4, 4, 4), x(4, 2, 3, 3)], square),
  ],
  ConvWeightGradient: [
    bad("its input 'dy' is missing", [x(1, 2, 6, 6)], { ...square, weight_shape: [4, 2, 3, 3] }),
    bad("its attribute 'weight_shape' is missing", [x(1, 2, 6, 6), x(1, 4, 4, 4)], square),
  ],
  MaxPool: pool,
  AveragePool: pool,
  MaxPoolGradient: [bad("its input 'dy' is missing", [x(1, 1, 4, 4), x(1, 1, 2, 2)], square)],
  AveragePoolGradient: [
    bad("its input 'dy' is missing", [], { ...square, input_shape: [1, 1, 4, 4] }),
    bad("its attribute 'input_shape' is missing", [x(1, 1, 2, 2)], square),
  ],
  GlobalAveragePool: unary,
  GlobalMaxPool: unary,
  BatchNormalization: [
    ...norm(["scale", "B", "input_mean", "input_var"]),
    bad("training_mode = 1 is not supported in a file", [x(2, 3), x(3), x(3), x(3), x(3)], { training_mode: 1 }),
  ],
  BatchMoments: unary,
  BatchMomentsGradient: [bad("dmean: expected [3], received [2]", [x(2, 3), x(3), x(2), x(3)])],
  BatchNormGradient: [bad("its input 'variance' is missing", [x(2, 3), x(2, 3), x(3), x(3)])],
};
