import { knownShape } from "../../../models/graph/graph.ts";
import { slice } from "../../../models/ops/movement.ts";
import { reshape } from "../../../models/ops/shared.ts";
import { convCost, imageByImageCost, measureInputGradient, padsWithBatchAxis, withBatchAxis } from "./conv.ts";
import { byPhases } from "./conv-input-gradient-phases.ts";
import type { Formulation } from "./formulation.ts";

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
    const [filters, channels, ...taps] = knownShape(w!);
    const count = taps[0] * taps[1];
    const grouped = reshape(g, w!, [group, filters / group, channels, count]);
    const turned = count === 1 ? grouped : slice(g, grouped, 3, count - 1, -count - 1, -1);
    const exchanged = g.add("Transpose", [turned], { perm: [0, 2, 1, 3] });
    const kernels = reshape(g, exchanged, [group * channels, filters / group, ...taps, 1]);
    const attributesNow = {
      kernel_shape: withBatchAxis(kernel, 1),
      strides: [1, 1, 1],
      dilations: withBatchAxis(dilations, 1),
      pads: padsWithBatchAxis(pads.map((p, i) => dilations[i % 2] * (kernel[i % 2] - 1) - p)),
      group,
    };
    return [g.add("Conv", [dy, kernels], attributesNow, node.name)];
  },
};

export const convInputGradient: readonly Formulation[] = [transposed, flipped, byPhases];
