import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { type Attributes, knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { type ConvAttributes, windowOf } from "../../../models/ops/conv.ts";
import { pad } from "../../../models/ops/movement.ts";
import { reshape } from "../../../models/ops/shared.ts";
import { asItIs, type Formulation, NOT_ON_WEBGPU, only, passCost } from "./formulation.ts";

/** Nanoseconds of one floating-point operation near the peak, and of one number copied by the convolution into the columns of its matrix product. */
const PER_OPERATION = 0.0054;
const PER_COPY = 0.2;

/** Floating-point operations of a convolution, forward or either gradient: two for each multiply-add. */
export function convOperations(weight: readonly number[], outputPixels: number, batch: number): number {
  return 2 * batch * outputPixels * weight.reduce((size, d) => size * d, 1);
}

/** Batch innermost, a convolution is one matrix product and runs near the peak, but for its copies: each output channel of a group shares them. */
export const convCost = (operations: number, outputChannels: number, perCopy = PER_COPY): number =>
  operations * (PER_OPERATION + perCopy / (2 * outputChannels));

/** Image by image it loses on small maps. */
export const imageByImageCost = (operations: number, outputChannels: number, outputPixels: number): number =>
  convCost(operations, outputChannels) * (1 + 40 / outputPixels);

export const sizes = (node: Node, x: Value, y: Value, weight: readonly number[]) => {
  const [batch] = knownShape(x);
  const outputPixels = knownShape(y)
    .slice(2)
    .reduce((a, b) => a * b, 1);
  return {
    batch,
    outputPixels,
    operations: convOperations(weight, outputPixels, batch),
    attributes: node.attributes as unknown as ConvAttributes,
  };
};

/** The same of a ConvInputGradient: [dy, w] → dx. */
export const measureInputGradient = (node: Node) => {
  const [dy, w] = node.inputs;
  const measured = sizes(node, node.outputs[0], dy!, knownShape(w!));
  return { ...measured, window: windowOf(measured.attributes as unknown as ConvAttributes) };
};

const standard = asItIs((node) => {
  const { operations, outputPixels, attributes } = sizes(node, node.inputs[0]!, node.outputs[0], knownShape(node.inputs[1]!));
  return imageByImageCost(operations, knownShape(node.inputs[1]!)[0] / attributes.group, outputPixels);
});

/** [kh, kw] → [kh, kw, along the batch]; begin and end pads stay apart. */
export const withBatchAxis = (pair: readonly number[], batch: number): number[] => [...pair, batch];
export const padsWithBatchAxis = ([top, left, bottom, right]: readonly number[]): number[] => [top, left, 0, bottom, right, 0];

/** One 3-D convolution over [1, C, H, W, N] with the kernel [k, k, 1]. */
const innermost: Formulation = {
  name: "innermost",
  plan(node) {
    if (node.inputs[0]!.shape.length !== 4) return undefined;
    const weight = knownShape(node.inputs[1]!);
    const { operations, attributes } = sizes(node, node.inputs[0]!, node.outputs[0], weight);
    const cost = passCost([]) + convCost(operations, weight[0] / attributes.group);
    return { inputs: ["innermost", "standard", "standard"], outputs: ["innermost"], cost };
  },
  emit(g, node, [x, w, bias]) {
    const window = windowOf(node.attributes as unknown as ConvAttributes);
    const attributes = {
      kernel_shape: withBatchAxis(window.kernel, 1),
      strides: withBatchAxis(window.strides, 1),
      dilations: withBatchAxis(window.dilations, 1),
      pads: padsWithBatchAxis(window.pads),
      group: node.attributes.group,
    };
    return [g.add("Conv", [x, reshape(g, w!, [...knownShape(w!), 1]), bias], attributes, node.name)];
  },
};

/** Whether a node has more than one group. */
export const isGrouped = ({ attributes }: Node): boolean => attributes.group !== 1;

/** WebGPU's 2-D Conv reads channels three by three where their number allows that and not four by four: with more than three it takes wrong ones. */
const takesWrongChannels = (weight: readonly number[]): boolean => {
  const [filters, channels, ...kernel] = weight;
  return channels > 3 && channels % 3 === 0 && channels % 4 !== 0 && filters % 4 === 0 && kernel.some((k) => k !== 1);
};

/** A Conv of [N, C, H, W] in one group or more, with channels of zeros where WebGPU would take wrong ones. */
export function convOnGpu(g: GraphBuilder, x: Value, w: Value, bias: Value | undefined, attributes: Attributes, name?: string): Value {
  const weight = knownShape(w);
  const extra = attributes.group === 1 && takesWrongChannels(weight) ? 4 - (weight[1] % 4) : 0;
  return g.add("Conv", [pad(g, x, 1, 0, extra), pad(g, w, 1, 0, extra), bias], attributes, name);
}

const padded: Formulation = {
  ...standard,
  name: "channels of zeros, standard",
  emit: (g, node, [x, w, bias]) => [convOnGpu(g, x!, w!, bias, node.attributes, node.name)],
};

const isWrongOnWebGpu = (node: Node): boolean => !isGrouped(node) && takesWrongChannels(knownShape(node.inputs[1]!));

/** WebGPU groups no 3-D convolution. */
export const conv: readonly Formulation[] = [
  only(NOT_ON_WEBGPU, standard, (node) => isWrongOnWebGpu(node) || (isGrouped(node) && node.inputs[0]!.shape.length > 4)),
  only(NOT_ON_WEBGPU, innermost, isGrouped),
  only(["webgpu"], { ...padded, plan: (node, constantOf) => (isWrongOnWebGpu(node) ? padded.plan(node, constantOf) : undefined) }),
];
