import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { pad, slice } from "../../../models/ops/movement.ts";
import { reshape } from "../../../models/ops/shared.ts";
import { convCost, convOnGpu, imageByImageCost, isGrouped, measureInputGradient, padsWithBatchAxis, withBatchAxis } from "./conv.ts";
import { byPhases } from "./conv-input-gradient-phases.ts";
import { asItIs, type Formulation, GPUS, NOT_ON_WEBGPU, only, PROCESSORS } from "./formulation.ts";
import { turnedTaps } from "./kernel-taps.ts";

/** The adjoint itself, image by image: ConvTranspose; pixels that no window reached are made by output_padding. */
const transposed: Formulation = {
  name: "ConvTranspose",
  plan(node) {
    const { operations, outputPixels, attributes } = measureInputGradient(node);
    const channels = knownShape(node.outputs[0])[1] / attributes.group;
    return { inputs: ["standard", "standard"], outputs: ["standard"], cost: 1.4 * imageByImageCost(operations, channels, outputPixels) };
  },
  emit(g, node, [dy, w]) {
    const { window, attributes } = measureInputGradient(node);
    const { kernel, strides, dilations, pads } = window;
    const [input, output] = [knownShape(node.outputs[0]).slice(2), knownShape(node.inputs[0]!).slice(2)];
    const output_padding = input.map(
      (size, i) => size - ((output[i] - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1 - pads[i] - pads[i + input.length]),
    );
    return [
      g.add(
        "ConvTranspose",
        [dy, w],
        { kernel_shape: kernel, strides, dilations, pads, group: attributes.group, output_padding },
        node.name,
      ),
    ];
  },
};

/** Channels exchanged within each group: [K, C / G, kh, kw] → [C, K / G, kh, kw, …behind]. */
function exchanged(g: GraphBuilder, w: Value, group: number, ...behind: readonly number[]): Value {
  const [filters, channels, ...taps] = knownShape(w);
  const grouped = reshape(g, w, [group, filters / group, channels, taps[0] * taps[1]]);
  const turned = g.add("Transpose", [grouped], { perm: [0, 2, 1, 3] });
  return reshape(g, turned, [group * channels, filters / group, ...taps, ...behind]);
}

/** A whole kernel, turned by 180°. */
function turned(g: GraphBuilder, w: Value): Value {
  const [down, across] = knownShape(w)
    .slice(2)
    .map((count) => ({ first: 0, step: 1, count }));
  return turnedTaps(g, w, down, across);
}

/** The same by a slice: a GPU's product may round. */
function turnedOnGpu(g: GraphBuilder, w: Value): Value {
  const [filters, channels, ...taps] = knownShape(w);
  const count = taps[0] * taps[1];
  if (count === 1) return w;
  return reshape(g, slice(g, reshape(g, w, [filters, channels, count]), 2, count - 1, -count - 1, -1), knownShape(w));
}

/** At stride 1: the convolution of dy with the kernel turned by 180° and its channels exchanged; pads are dilation · (k − 1) − pads. */
const flipped: Formulation = {
  name: "flipped kernel, innermost",
  plan(node) {
    const { operations, outputPixels, window, attributes } = measureInputGradient(node);
    const { kernel, strides, dilations, pads } = window;
    const [, channels, ...input] = knownShape(node.outputs[0]);
    const reach = [...kernel, ...kernel].map((k, i) => dilations[i % 2] * (k - 1));
    if (node.outputs[0].shape.length !== 4 || strides.some((s) => s !== 1) || pads.some((p, i) => p > reach[i])) return undefined;
    const inputPixels = input.reduce((a, b) => a * b, 1);
    return {
      inputs: ["innermost", "standard"],
      outputs: ["innermost"],
      cost: convCost((operations * inputPixels) / outputPixels, channels / attributes.group),
    };
  },
  emit(g, node, [dy, w]) {
    const { window, attributes } = measureInputGradient(node);
    const { kernel, dilations, pads } = window;
    const { group } = attributes;
    const attributesNow = {
      kernel_shape: withBatchAxis(kernel, 1),
      strides: [1, 1, 1],
      dilations: withBatchAxis(dilations, 1),
      pads: padsWithBatchAxis(pads.map((p, i) => dilations[i % 2] * (kernel[i % 2] - 1) - p)),
      group,
    };
    return [g.add("Conv", [dy, exchanged(g, turned(g, w!), group, 1)], attributesNow, node.name)];
  },
};

/** At any stride: the same over [N, K, H, W], with zeros between the pixels of dy, as many as a stride leaves out; pads may crop. */
const stuffed: Formulation = {
  name: "flipped kernel over dy with zeros between, standard",
  plan(node) {
    const { operations, outputPixels, window } = measureInputGradient(node);
    if (node.outputs[0].shape.length !== 4) return undefined;
    const [, channels] = knownShape(node.outputs[0]);
    const zeros = window.strides[0] * window.strides[1];
    return { inputs: ["standard", "standard"], outputs: ["standard"], cost: imageByImageCost(operations * zeros, channels, outputPixels) };
  },
  emit(g, node, [dy, w]) {
    const { window, attributes } = measureInputGradient(node);
    const { kernel, strides, dilations, pads } = window;
    const input = knownShape(node.outputs[0]).slice(2);
    const [batch, filters, height, width] = knownShape(dy!);
    const apart = reshape(g, dy!, [batch, filters, height, 1, width, 1]);
    const between = pad(g, pad(g, apart, 3, 0, strides[0] - 1), 5, 0, strides[1] - 1);
    const spread = reshape(g, between, [batch, filters, height * strides[0], width * strides[1]]);
    const seen = [0, 1].reduce((value, i) => {
      const before = dilations[i] * (kernel[i] - 1) - pads[i];
      return pad(g, value, i + 2, before, input[i] + pads[i] - knownShape(value)[i + 2]);
    }, spread);
    const { group } = attributes;
    const plain = { kernel_shape: kernel, strides: [1, 1], dilations, pads: [0, 0, 0, 0], group };
    return [convOnGpu(g, seen, exchanged(g, turnedOnGpu(g, w!), group), undefined, plain, node.name)];
  },
};

/** WebGPU's ConvTranspose is wrong where a group has one channel and two filters, and has no 3-D; its 3-D Conv has no groups. */
const groupedOrNot2D = (node: Node): boolean => isGrouped(node) || node.outputs[0].shape.length !== 4;

export const convTranspose: readonly Formulation[] = [only(NOT_ON_WEBGPU, asItIs(), groupedOrNot2D)];

export const convInputGradient: readonly Formulation[] = [
  only(NOT_ON_WEBGPU, transposed, groupedOrNot2D),
  only(PROCESSORS, flipped),
  only(PROCESSORS, byPhases),
  only(GPUS, stuffed),
];
