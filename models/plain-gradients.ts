import { float32, int64, tensor } from "../core/tensor.ts";
import type { GraphBuilder } from "./graph/builder.ts";
import type { Attributes, Node, Value } from "./graph/graph.ts";
import { LOWEST, pixelsOfWindows, type Window } from "./graph/shape.ts";
import { type WindowAttributes, windowOf } from "./ops/conv.ts";
import { firstAlong } from "./ops/reduce.ts";
import { indicator } from "./ops/shared.ts";

/** Writes a node of one of the trainer's own gradient operators with standard ones. @returns its outputs, at least the first */
type PlainForm = (g: GraphBuilder, node: Node) => readonly Value[];

/**
 * The gradients that pass through an operator, in plain ONNX operators that take any number of images: the trainer's own formulations are faster, and made
 * for one batch size. What only weights need (ConvWeightGradient, the moments of a batch) has no place in an exported file.
 */
export const PLAIN_GRADIENTS: Readonly<Record<string, PlainForm>> = {
  /** dy · [y > 0] */
  ReluGradient: (g, { inputs: [y, dy] }) => [g.add("Mul", [dy, indicator(g, g.add("Greater", [y, g.scalar(0)]))])],

  /** dy · y · (1 − y) */
  SigmoidGradient: (g, { inputs: [y, dy] }) => [g.add("Mul", [dy, g.add("Mul", [y, g.add("Sub", [g.scalar(1), y])])])],

  /** dy · scale / √(variance + epsilon) */
  BatchNormGradient(g, { inputs: [x, dy, scale, , variance], attributes }) {
    const deviation = g.add("Sqrt", [g.add("Add", [variance, g.scalar(attributes.epsilon as number)])]);
    const channels = g.initializer("channels", int64([-1, ...(x as Value).shape.slice(2).map(() => 1)]));
    return [g.add("Mul", [dy, g.add("Reshape", [g.add("Div", [scale, deviation]), channels])])];
  },

  /** Each pixel of dy, times the kernel, goes back to the pixels that it saw: the transposed convolution. */
  ConvInputGradient: (g, { inputs: [dy, w], attributes }) => [
    scatter(g, dy as Value, w as Value, windowIn(attributes), { size: inputSize(attributes), group: attributes.group as number }),
  ],

  /** dy / (pixels of the window), scattered by a kernel of ones. */
  AveragePoolGradient(g, { inputs: [dy], attributes }) {
    const window = windowIn(attributes);
    const size = inputSize(attributes);
    const [, channels, ...outputs] = (dy as Value).shape.map(Number);
    const shares = float32(sharesOf(window, size, outputs, attributes.count_include_pad === 1), outputs);
    const ones = float32(Array(channels * area(window.kernel)).fill(1), [channels, 1, ...window.kernel]);
    const shared = g.add("Mul", [dy, g.initializer("shares", shares)]);
    return [scatter(g, shared, g.initializer("ones", ones), window, { size, group: channels })];
  },

  /** Every place of every window beside its maximum; dy goes to the first that equals it in row order, as in PyTorch. */
  MaxPoolGradient(g, { inputs: [x, y, dy], attributes }) {
    const window = windowIn(attributes);
    const [, channels, ...size] = (x as Value).shape.map(Number);
    const outputs = (y as Value).shape.slice(2).map(Number);
    const places = area(window.kernel);
    const kernels = g.initializer("places", onePlaceEach(channels, window.kernel));
    const split = (value: Value, count: number): Value =>
      g.add("Reshape", [value, g.initializer("split", int64([-1, channels, count, ...outputs]))]);
    const seen = g.add("Conv", [padded(g, x as Value, window, size, outputs), kernels], {
      kernel_shape: window.kernel,
      strides: window.strides,
      dilations: window.dilations,
      group: channels,
    });
    const largest = indicator(g, g.add("Equal", [split(seen, places), split(y as Value, 1)]));
    const given = g.add("Mul", [firstAlong(g, largest, 2), split(dy as Value, 1)]);
    const merged = g.add("Reshape", [given, g.initializer("merged", int64([-1, channels * places, ...outputs]))]);
    return [scatter(g, merged, kernels, window, { size, group: channels })];
  },
};

const area = (sides: readonly number[]): number => sides.reduce((a, b) => a * b, 1);
const windowIn = (attributes: Attributes): Window => windowOf(attributes as unknown as WindowAttributes);
const inputSize = ({ input_shape }: Attributes): number[] => (input_shape as readonly number[]).slice(2);

/** What windows reach along each axis, from the first pad on. */
const reachOf = ({ kernel, strides, dilations }: Window, outputs: readonly number[]): number[] =>
  kernel.map((k, i) => (outputs[i] - 1) * strides[i] + dilations[i] * (k - 1) + 1);

/** ConvTranspose to an image of `size`: what lies behind it (of a last window that reaches too far) is cut off, pixels that no window saw are 0. */
function scatter(
  g: GraphBuilder,
  dy: Value,
  w: Value,
  window: Window,
  { size, group }: { readonly size: readonly number[]; readonly group: number },
): Value {
  const { kernel, strides, dilations, pads } = window;
  const behind = reachOf(window, dy.shape.slice(2).map(Number)).map((reach, i) => reach - pads[i] - size[i]);
  return g.add("ConvTranspose", [dy, w], {
    kernel_shape: kernel,
    strides,
    dilations,
    pads: [...pads.slice(0, kernel.length), ...behind.map((pixels) => Math.max(0, pixels))],
    output_padding: behind.map((pixels) => Math.max(0, -pixels)),
    group,
  });
}

/** The image with the pads that its windows reach, filled so that none of them is a maximum. */
function padded(g: GraphBuilder, x: Value, window: Window, size: readonly number[], outputs: readonly number[]): Value {
  const { pads, kernel } = window;
  const before = pads.slice(0, kernel.length);
  const behind = reachOf(window, outputs).map((reach, i) => Math.max(0, reach - pads[i] - size[i]));
  if ([...before, ...behind].every((pixels) => pixels === 0)) return x;
  return g.add("Pad", [x, g.initializer("pads", int64([0, 0, ...before, 0, 0, ...behind])), g.scalar(LOWEST)]);
}

/** For each channel as many filters as a window has places, each 1 at one of them, in row order: [channels · places, 1, height, width]. */
function onePlaceEach(channels: number, kernel: readonly number[]) {
  const places = area(kernel);
  const data = new Float32Array(channels * places * places);
  for (let i = 0; i < channels * places; i++) data[i * places + (i % places)] = 1;
  return tensor("float32", [channels * places, 1, ...kernel], data);
}

/** 1 / (the pixels that a window counts), for each window in row order. */
const sharesOf = (...pool: Parameters<typeof pixelsOfWindows>): number[] =>
  pixelsOfWindows(...pool)
    .reduce<readonly number[]>((sizes, along) => sizes.flatMap((pixels) => along.map((more) => pixels * more)), [1])
    .map((pixels) => 1 / pixels);
