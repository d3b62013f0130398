import { float32, int64, scalar } from "../../core/tensor.ts";
import type { Attributes, Value } from "../../models/graph/graph.ts";
import { batchNorm, conv2d, flatten, initializers, type Layer, linear, type Scope, sequential } from "../../models/layers/index.ts";
import { type Network, network } from "../../models/network.ts";

const { normal } = initializers;

const op =
  (name: string, attributes: Attributes = {}): Layer =>
  (x, { graph, path }) =>
    graph.add(name, [x], attributes, path);

/** A product or sum with another branch of the same input. */
const joined =
  (name: string, branch: Layer, other?: Layer): Layer =>
  (x, scope) =>
    scope.graph.add(name, [other ? other(x, scope.child("other")) : x, branch(x, scope.child("branch"))], {}, scope.path);

const parameter = (scope: Scope, name: string, shape: readonly number[]): Value => scope.parameter(name, shape, normal(0.5));
const ints = (scope: Scope, name: string, list: readonly number[], shape?: readonly number[]): Value =>
  scope.constant(name, int64(list, shape));

const reshape =
  (...shape: number[]): Layer =>
  (x, scope) =>
    scope.graph.add("Reshape", [x, ints(scope, "shape", shape)], {}, scope.path);
const transpose = (...perm: number[]): Layer => op("Transpose", { perm });
const relu6: Layer = (x, scope) =>
  scope.graph.add("Clip", [x, scope.constant("low", scalar(0)), scope.constant("high", scalar(6))], {}, scope.path);
const swish = joined("Mul", op("Sigmoid"));
const pixelMean: Layer = (x, scope) => scope.graph.add("ReduceMean", [x, ints(scope, "axes", [2, 3])], { keepdims: 1 }, scope.path);
const classifier = (features: Layer): Layer => sequential([features, op("GlobalAveragePool"), flatten, linear(4)]);

/** x · gate(squeeze(x)). @see Hu et al., "Squeeze-and-excitation networks", 2018 */
const squeezeExcite = (channels: number, pool: Layer, activation: Layer, gate: Layer): Layer =>
  joined("Mul", sequential([pool, conv2d(2, 1), activation, conv2d(channels, 1), gate]));

const inverted = (expanded: number, stride: number, activation: Layer, middle: readonly Layer[] = []): Layer =>
  sequential([
    conv2d(expanded, 1, { bias: false }),
    batchNorm,
    activation,
    conv2d(expanded, 3, { stride, padding: 1, groups: expanded, bias: false }),
    batchNorm,
    activation,
    ...middle,
    conv2d(4, 1, { bias: false }),
    batchNorm,
  ]);

const layerNorm: Layer = (x, scope) => {
  const width = [Number(x.shape.at(-1))];
  const inputs = [x, parameter(scope, "weight", width), parameter(scope, "bias", width)];
  return scope.graph.add("LayerNormalization", inputs, { epsilon: 1e-6 }, scope.path);
};

/** x · W + b over the last axis, as exporters write a linear layer of tokens. */
const tokenLinear =
  (units: number): Layer =>
  (x, scope) => {
    const product = scope.graph.add(
      "MatMul",
      [x, parameter(scope, "weight", [Number(x.shape.at(-1)), units])],
      {},
      `${scope.path}/product`,
    );
    return scope.graph.add("Add", [parameter(scope, "bias", [units]), product], {}, scope.path);
  };

/** Gelu as exporters below opset 20 write it. */
const erfGelu: Layer = (x, scope) => {
  const { graph } = scope;
  const erf = graph.add("Erf", [graph.add("Div", [x, scope.constant("root", scalar(Math.SQRT2))])]);
  const twice = graph.add("Mul", [x, graph.add("Add", [erf, scope.constant("one", scalar(1))])]);
  return graph.add("Mul", [twice, scope.constant("half", scalar(0.5))], {}, scope.path);
};

/** Layer normalization as exporters below opset 17 write it. */
const plainNorm: Layer = (x, scope) => {
  const { graph } = scope;
  const mean = (value: Value) => graph.add("ReduceMean", [value, ints(scope, "axes", [-1])]);
  const centered = graph.add("Sub", [x, mean(x)]);
  const variance = mean(graph.add("Pow", [centered, scope.constant("two", scalar(2))]));
  const deviation = graph.add("Sqrt", [graph.add("Add", [variance, scope.constant("epsilon", scalar(1e-6))])]);
  return graph.add("Mul", [graph.add("Div", [centered, deviation]), parameter(scope, "weight", [Number(x.shape.at(-1))])], {}, scope.path);
};

const convNext: Layer = joined(
  "Add",
  sequential([
    conv2d(6, 7, { padding: 3, groups: 6 }),
    transpose(0, 2, 3, 1),
    plainNorm,
    tokenLinear(12),
    erfGelu,
    tokenLinear(6),
    (x, scope) => scope.graph.add("Mul", [parameter(scope, "scale", [6]), x], {}, scope.path),
    transpose(0, 3, 1, 2),
  ]),
);
const channelsLast = (layer: Layer): Layer => sequential([transpose(0, 2, 3, 1), layer, transpose(0, 3, 1, 2)]);

/** Patches [N, 8, H, W] → tokens [N, 1 + H · W, 8], the first of them learned, with learned positions. */
const tokens: Layer = (x, scope) => {
  const { graph } = scope;
  const patches = graph.add("Transpose", [reshape(0, 8, -1)(x, scope.child("flat"))], { perm: [0, 2, 1] });
  const nothing = graph.add("Mul", [
    graph.add("Slice", [patches, ...[[0], [1], [1]].map((list, i) => ints(scope, `slice${i}`, list))]),
    scope.constant("zero", scalar(0)),
  ]);
  const first = graph.add("Add", [nothing, parameter(scope, "class_token", [1, 1, 8])]);
  const all = graph.add("Concat", [first, patches], { axis: 1 });
  return graph.add("Add", [all, parameter(scope, "positions", [1, Number(all.shape[1]), 8])], {}, scope.path);
};

/** Two heads of four. @see Vaswani et al., "Attention is all you need", 2017 */
const attention: Layer = (x, scope) => {
  const { graph } = scope;
  const length = Number(x.shape[1]);
  const together = tokenLinear(24)(x, scope.child("qkv"));
  const parts = graph.addAll("Split", [together, ints(scope, "sizes", [8, 8, 8])], { axis: 2 });
  const heads = parts.map((part, i) => reshape(0, length, 2, 4)(part, scope.child(`heads${i}`)));
  const [q, k, v] = heads.map((part, i) => graph.add("Transpose", [part], { perm: i === 1 ? [0, 2, 3, 1] : [0, 2, 1, 3] }));
  const scores = graph.add("Mul", [graph.add("MatMul", [q, k]), scope.constant("scale", scalar(0.5))]);
  const mixed = graph.add("MatMul", [graph.add("Softmax", [scores], { axis: -1 }), v]);
  const joinedHeads = reshape(0, length, 8)(graph.add("Transpose", [mixed], { perm: [0, 2, 1, 3] }), scope.child("joined"));
  return tokenLinear(8)(joinedHeads, scope.child("out"));
};
const firstToken: Layer = (x, scope) => scope.graph.add("Gather", [x, ints(scope, "first", [0], [])], { axis: 1 }, scope.path);

/** Channels of two groups taken in turn. @see Zhang et al., "ShuffleNet", 2018 */
const shuffle: Layer = sequential([reshape(0, 2, 2, 3, 3), transpose(0, 2, 1, 3, 4), reshape(0, 4, 3, 3)]);
const prelu: Layer = (x, scope) => scope.graph.add("PRelu", [x, parameter(scope, "slope", [Number(x.shape[1]), 1, 1])], {}, scope.path);
const upsample: Layer = (x, scope) =>
  scope.graph.add("Resize", [x, undefined, scope.constant("scales", float32([1, 1, 2, 2]))], {}, scope.path);
const halves =
  (left: Layer, right: Layer): Layer =>
  (x, scope) => {
    const size = Number(x.shape[1]) / 2;
    const [a, b] = scope.graph.addAll("Split", [x, ints(scope, "sizes", [size, size])], { axis: 1 });
    return scope.graph.add("Concat", [left(a, scope.child("left")), right(b, scope.child("right"))], { axis: 1 }, scope.path);
  };
const unitLength: Layer = (x, scope) => {
  const length = scope.graph.add("ReduceL2", [x, ints(scope, "axes", [-1])]);
  return scope.graph.add("Div", [x, length], {}, scope.path);
};
const squeeze: Layer = (x, scope) => scope.graph.add("Squeeze", [x, ints(scope, "axes", [2, 3])], {}, scope.path);

const SIX: { readonly input: readonly [number, number, number] } = { input: [3, 6, 6] };

/** The blocks of classifiers that other tools export, small, in the operators that exporters write. */
export const BLOCKS: Readonly<Record<string, Network>> = {
  MobileNetV2: network(
    "mobilenet-v2",
    classifier(sequential([conv2d(4, 3), relu6, inverted(6, 2, relu6), joined("Add", inverted(6, 1, relu6))])),
    SIX,
  ),
  MobileNetV3: network(
    "mobilenet-v3",
    classifier(
      sequential([
        conv2d(4, 3, { padding: 1 }),
        op("HardSwish"),
        inverted(6, 2, op("HardSwish"), [squeezeExcite(6, op("GlobalAveragePool"), op("Relu"), op("HardSigmoid", { alpha: 1 / 6 }))]),
      ]),
    ),
    SIX,
  ),
  EfficientNet: network(
    "efficientnet",
    classifier(
      sequential([conv2d(4, 3), swish, joined("Add", inverted(8, 1, swish, [squeezeExcite(8, pixelMean, swish, op("Sigmoid"))]))]),
    ),
    SIX,
  ),
  ConvNeXt: network(
    "convnext",
    sequential([conv2d(6, 2, { stride: 2 }), channelsLast(layerNorm), convNext, op("GlobalAveragePool"), flatten, layerNorm, linear(4)]),
    { input: [3, 8, 8] },
  ),
  ViT: network(
    "vit",
    sequential([
      conv2d(8, 2, { stride: 2 }),
      tokens,
      joined("Add", sequential([layerNorm, attention])),
      joined("Add", sequential([layerNorm, tokenLinear(16), op("Gelu"), tokenLinear(8)])),
      layerNorm,
      firstToken,
      linear(4),
    ]),
    SIX,
  ),
  others: network(
    "others",
    sequential([
      conv2d(4, 3),
      prelu,
      op("LRN", { size: 3, alpha: 0.5 }),
      op("MaxPool", { kernel_shape: [2, 2], strides: [1, 1] }),
      shuffle,
      upsample,
      conv2d(4, 3, { groups: 2 }),
      halves(op("LeakyRelu"), op("Elu")),
      op("Softplus"),
      op("GlobalMaxPool"),
      squeeze,
      unitLength,
      linear(4),
    ]),
    SIX,
  ),
};
