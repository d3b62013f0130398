import { zeros } from "../../../core/tensor.ts";
import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { slice } from "../../../models/ops/movement.ts";
import { reshape } from "../../../models/ops/shared.ts";
import { convCost, measureInputGradient, padsWithBatchAxis, withBatchAxis } from "./conv.ts";
import { type Formulation, passCost } from "./formulation.ts";
import { turnedTaps } from "./kernel-taps.ts";

/** Along one axis: the pixels q = s · j + u of dx, for one u in 0 … s − 1. They see the taps r, r + s, … of the kernel, with r = (u + p) mod s. */
interface Phase {
  /** r, and how many taps there are. */
  readonly first: number;
  readonly taps: number;
  /** Of dy, at stride 1; below 0, pixels are cut off. */
  readonly pads: readonly [begin: number, end: number];
}

/** All phases along an axis get ⌈input / s⌉ pixels: what is too much is cut off after they were interleaved. */
function phasesOf(input: number, output: number, kernel: number, stride: number, pad: number): readonly Phase[] {
  const pixels = Math.ceil(input / stride);
  return Array.from({ length: stride }, (_, u) => {
    const first = (u + pad) % stride;
    const taps = Math.max(0, Math.ceil((kernel - first) / stride));
    const offset = (u + pad - first) / stride; // pixel j of dx sees dy from offset + j − taps + 1 to offset + j
    return { first, taps, pads: [taps - 1 - offset, offset + pixels - output] };
  });
}

/** The taps of these phases, turned by 180°, its channels exchanged: [C, K, taps, taps, 1]. */
function kernelOf(g: GraphBuilder, w: Value, phases: readonly Phase[], strides: readonly number[]): Value {
  const [down, across] = phases.map(({ first, taps }, i) => ({ first, step: strides[i], count: taps }));
  const exchanged = g.add("Transpose", [turnedTaps(g, w, down, across)], { perm: [1, 0, 2, 3] });
  return reshape(g, exchanged, [...knownShape(exchanged), 1]);
}

/** What the phases of both axes make of dy: [1, C, ⌈H / s⌉, ⌈W / s⌉, N]. */
function convolve(
  g: GraphBuilder,
  dy: Value,
  w: Value,
  phases: readonly Phase[],
  strides: readonly number[],
  pixels: readonly number[],
): Value {
  const [, channels] = knownShape(w);
  if (phases.some(({ taps }) => taps === 0)) return g.initializer("unseen", zeros("float32", [1, channels, ...pixels, knownShape(dy)[4]]));
  const seen = phases.reduce((value, { pads: [begin, end] }, i) => {
    const size = knownShape(value)[i + 2];
    return begin < 0 || end < 0 ? slice(g, value, i + 2, Math.max(0, -begin), size + Math.min(0, end)) : value;
  }, dy);
  const pads = [0, 1].flatMap((side) => phases.map((phase) => Math.max(0, phase.pads[side])));
  const attributes = {
    kernel_shape: withBatchAxis(
      phases.map(({ taps }) => taps),
      1,
    ),
    strides: [1, 1, 1],
    dilations: [1, 1, 1],
    pads: padsWithBatchAxis(pads),
    group: 1,
  };
  return g.add("Conv", [seen, kernelOf(g, w, phases, strides)], attributes);
}

/** Values [.., n, ..] along an axis, taken in turn: [.., size, ..] with as many of them as there are. */
function interleave(g: GraphBuilder, values: readonly Value[], axis: number, size: number): Value {
  if (values.length === 1) return slice(g, values[0], axis, 0, size);
  const shape = knownShape(values[0]);
  const split = [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)];
  const together = g.add(
    "Concat",
    values.map((value) => reshape(g, value, split)),
    { axis: axis + 1 },
  );
  const joined = shape.map((d, i) => (i === axis ? d * values.length : d));
  const whole = reshape(g, together, joined);
  return joined[axis] === size ? whole : slice(g, whole, axis, 0, size);
}

/** At a stride s: dx in s · s phases, each a convolution of dy at stride 1 with every s-th tap, then interleaved. */
export const byPhases: Formulation = {
  name: "by phases, innermost",
  plan(node) {
    const { operations, window, attributes } = measureInputGradient(node);
    const strided = window.strides.some((s) => s !== 1);
    const dilated = window.dilations.some((d) => d !== 1);
    if (node.outputs[0].shape.length !== 4 || attributes.group !== 1 || !strided || dilated) return undefined;
    const [, channels] = knownShape(node.outputs[0]);
    return {
      inputs: ["innermost", "standard"],
      outputs: ["innermost"],
      cost: 1.2 * convCost(operations, channels) + 2 * passCost(node.outputs),
    };
  },
  emit(g, node: Node, [dy, w]) {
    const { window } = measureInputGradient(node);
    const { kernel, strides, pads } = window;
    const [, , ...input] = knownShape(node.outputs[0]);
    const [, , ...output] = knownShape(node.inputs[0]!);
    const [down, across] = [0, 1].map((i) => phasesOf(input[i], output[i], kernel[i], strides[i], pads[i]));
    const pixels = input.map((size, i) => Math.ceil(size / strides[i]));
    const rows = down.map((row) => {
      const columns = across.map((column) => convolve(g, dy!, w!, [row, column], strides, pixels));
      return interleave(g, columns, 3, input[1]);
    });
    return [interleave(g, rows, 2, input[0])];
  },
};
