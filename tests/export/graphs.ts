import { readFileSync } from "node:fs";
import { random } from "../../core/random.ts";
import { createSession } from "../../core/session.node.ts";
import type { Named } from "../../core/session.ts";
import { float32, int64, numbersOf, type Tensor, tensor } from "../../core/tensor.ts";
import { serialize } from "../../export/serialize.ts";
import type { Graph } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";

/** Normal numbers of a seed. */
export function normal(shape: readonly number[], seed: number, scale = 1, shift = 0): Tensor<"float32"> {
  const source = random(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  return float32(
    Array.from({ length: size }, () => shift + scale * source.normal()),
    shape,
  );
}

/** A small classifier with every kind of attribute: [N, 3, 12, 12] → [N, 5]. */
export function classifier(): Graph {
  const g = graphBuilder();
  const images = g.input("images", "float32", ["N", 3, 12, 12]);
  const window = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  const conv = g.add(
    "Conv",
    [images, g.initializer("conv.weight", normal([4, 3, 3, 3], 1, 0.3)), g.initializer("conv.bias", normal([4], 2))],
    window,
    "conv",
  );
  const channels = (name: string, seed: number, scale: number, shift: number) => g.initializer(name, normal([4], seed, scale, shift));
  const statistics = [
    channels("bn.weight", 3, 0.1, 1),
    channels("bn.bias", 4, 0.1, 0),
    channels("bn.running_mean", 5, 0.5, 0),
    channels("bn.running_var", 6, 0.1, 2),
  ];
  const norm = g.add("BatchNormalization", [conv, ...statistics], { epsilon: 1e-3 }, "bn");
  const clipped = g.add("Clip", [norm, undefined, g.scalar(6)], {}, "relu6");
  const pooled = g.add("MaxPool", [clipped], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }, "pool");
  const padded = g.add("Pad", [pooled, g.initializer("pads", int64([0, 0, 1, 1, 0, 0, 1, 1]))], { mode: "constant" }, "pad");
  const turned = g.add("Transpose", [padded], { perm: [0, 1, 3, 2] }, "turn");
  const mean = g.add("ReduceMean", [turned, g.initializer("axes", int64([2, 3]))], { keepdims: 0 }, "mean");
  const logits = g.add(
    "Gemm",
    [mean, g.initializer("fc.weight", normal([5, 4], 7)), g.initializer("fc.bias", normal([5], 8))],
    { transB: 1 },
    "fc",
  );
  return g.build("classifier", [logits]);
}

/** Runs a graph in ONNX Runtime. */
export async function run(model: Graph | Uint8Array, feeds: Named): Promise<Named> {
  const session = await createSession(model instanceof Uint8Array ? model : serialize(model), { threads: 1 });
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

/** The largest absolute difference of two tensors. */
export function difference(a: Tensor, b: Tensor): number {
  const x = numbersOf(a);
  const y = numbersOf(b);
  if (String(a.shape) !== String(b.shape)) return Number.POSITIVE_INFINITY;
  return x.reduce((largest, value, i) => Math.max(largest, Math.abs(value - y[i])), 0);
}

/** A tensor of each element type. */
export const everyType = (): Tensor[] => [
  float32([1.5, -2, Number.NaN, 0.1]),
  tensor("float64", [2], Float64Array.of(Math.PI, -1e300)),
  tensor("int32", [1, 2], Int32Array.of(-5, 2 ** 31 - 1)),
  tensor("int64", [2], BigInt64Array.of(-1n, 2n ** 63n - 1n)),
  tensor("uint8", [3], Uint8Array.of(0, 128, 255)),
  tensor("bool", [2, 1], Uint8Array.of(1, 0)),
  tensor("float32", [], Float32Array.of(3)),
  tensor("float32", [0, 4], new Float32Array(0)),
];

export const bytesOf = (path: string): Uint8Array => new Uint8Array(readFileSync(path));
