import type { onnx } from "onnx-proto";
import { float32, sizeOf, type Tensor } from "../../core/tensor.ts";
import { type ImportedModel, importModel } from "../../export/import-model.ts";
import { floats, node, onnxFile, port, sawtooth } from "../export/onnx-file.ts";

const square = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
const norm = (name: string, channels: number): onnx.ITensorProto[] => [
  floats(
    `${name}.weight`,
    [channels],
    sawtooth(channels, 1).map((v) => 1 + v / 4),
  ),
  floats(
    `${name}.bias`,
    [channels],
    sawtooth(channels, 2).map((v) => v / 4),
  ),
  floats(
    `${name}.mean`,
    [channels],
    sawtooth(channels, 3).map((v) => v / 4),
  ),
  floats(
    `${name}.var`,
    [channels],
    sawtooth(channels, 4).map((v) => 1 + v / 4),
  ),
];
const normOf = (name: string, x: string, y: string) =>
  node("BatchNormalization", [x, ...["weight", "bias", "mean", "var"].map((part) => `${name}.${part}`)], y);

export interface SmallOptions {
  /** What stands behind the last pool; its value is y. */
  readonly end?: readonly onnx.INodeProto[];
  readonly initializer?: readonly onnx.ITensorProto[];
  readonly batch?: number | string;
}

/** Two convolutions with batch norm, pooled, and a linear layer for four classes: [N, 3, 8, 8] → y [N, 4]. */
export function smallFile({ end, initializer = [], batch = "N" }: SmallOptions = {}): Uint8Array {
  const nodes = [
    node("Conv", ["x", "c1.weight"], "c1", square),
    normOf("b1", "c1", "n1"),
    node("Relu", ["n1"], "r1"),
    node("Conv", ["r1", "c2.weight", "c2.bias"], "c2", square),
    normOf("b2", "c2", "n2"),
    node("Relu", ["n2"], "r2"),
    node("GlobalAveragePool", ["r2"], "pool"),
    node("Flatten", ["pool"], "flat"),
    ...(end ?? [node("Gemm", ["flat", "fc.weight", "fc.bias"], "y", { transB: 1 })]),
  ];
  const weights = [
    floats("c1.weight", [4, 3, 3, 3]),
    ...norm("b1", 4),
    floats("c2.weight", [6, 4, 3, 3]),
    floats("c2.bias", [6]),
    ...norm("b2", 6),
    floats("fc.weight", [4, 6]),
    floats("fc.bias", [4]),
  ];
  return onnxFile(nodes, { input: [port("x", [batch, 3, 8, 8])], initializer: [...weights, ...initializer] });
}

export const imported = (bytes: Uint8Array, features?: string): ImportedModel => importModel(bytes, { file: "small.onnx", features });

/** Images that differ, and a class each. */
export function stepInput(images: readonly [number, number, number], count: number, classes: number, seed = 0) {
  const shape = [count, ...images];
  const targets = new Float32Array(count * classes);
  for (let i = 0; i < count; i++) targets[i * classes + (i % classes)] = 1;
  return { images: float32(sawtooth(sizeOf(shape), seed), shape), targets: float32(targets, [count, classes]) };
}

export const numbers = (t: Tensor | undefined): number[] => Array.from((t?.data ?? []) as Float32Array);
