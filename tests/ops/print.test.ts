import { expect, test } from "vitest";
import { float32, int64, zeros } from "../../core/tensor.ts";
import { print, printNode } from "../../models/graph/print.ts";
import { graphBuilder, OPS } from "../../models/ops/index.ts";

function smallGraph() {
  const g = graphBuilder();
  const images = g.input("images", "float32", ["N", 1, 28, 28]);
  const weight = g.initializer("conv1.weight", zeros("float32", [16, 1, 3, 3]));
  const conv = g.add("Conv", [images, weight], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, "conv1");
  const clipped = g.add("Clip", [conv, undefined, g.initializer("high", float32([6], []))], {}, "relu6");
  const moments = g.addAll("BatchMoments", [clipped], {}, "moments");
  const [scale, bias] = [g.initializer("bn.weight", float32(Array(16).fill(1))), g.initializer("bn.bias", float32(Array(16).fill(0)))];
  const normed = g.add("BatchNormalization", [clipped, scale, bias, ...moments], { epsilon: 0.001 }, "bn");
  const axes = g.initializer("axes", int64([2, 3]));
  const mean = g.add("ReduceMean", [normed, axes], { keepdims: 0 }, "mean");
  const fc = g.initializer("fc.bias", float32([0.5, -0.25, 1 / 3]));
  return g.build("small", [g.add("Greater", [g.add("Slice", [mean, int64s("from", 0), int64s("to", 3), int64s("axis", 1)]), fc])]);

  function int64s(name: string, value: number) {
    return g.initializer(name, int64([value]));
  }
}

test("a graph prints one line a value and node, attributes at their default left out", () => {
  expect(print(smallGraph(), OPS)).toBe(`graph small
  input images: float32[N,1,28,28]
  initializer conv1.weight: float32[16,1,3,3]
  initializer high: float32[](6)
  initializer bn.weight: float32[16]
  initializer bn.bias: float32[16]
  initializer axes: int64[2](2,3)
  initializer fc.bias: float32[3](0.5,-0.25,0.3333333)
  initializer from: int64[1](0)
  initializer to: int64[1](3)
  initializer axis: int64[1](1)
  conv1 = Conv(images, conv1.weight) {kernel_shape=[3,3], pads=[1,1,1,1]} → float32[N,16,28,28]
  relu6 = Clip(conv1, , high) → float32[N,16,28,28]
  moments, moments:1 = BatchMoments(relu6) → float32[16], float32[16]
  bn = BatchNormalization(relu6, bn.weight, bn.bias, moments, moments:1) {epsilon=0.001} → float32[N,16,28,28]
  mean = ReduceMean(bn, axes) {keepdims=0} → float32[N,16]
  Slice = Slice(mean, from, to, axis) → float32[N,3]
  Greater = Greater(Slice, fc.bias) → bool[N,3]
  output Greater: bool[N,3]
`);
});

test("without a table of operators, every attribute is shown", () => {
  const [conv] = smallGraph().nodes;
  expect(printNode(conv)).toBe("conv1 = Conv(images, conv1.weight) {kernel_shape=[3,3], pads=[1,1,1,1], group=1} → float32[N,16,28,28]");
});
