import { ShapeError } from "../../core/errors.ts";
import { type Dimension, knownShape } from "../graph/graph.ts";
import { int, ints, type OpDefinition, type Operand, optionalInts } from "../graph/op.ts";
import { known, needAll, needRank, slide, type Window } from "../graph/shape.ts";
import { axesButChannels, reduceSum } from "./shared.ts";

/** Conv's and the pools' window attributes; what is left out is 1 for strides and dilations, 0 for pads. */
export type WindowAttributes = {
  kernel_shape: readonly number[];
  strides: readonly number[] | undefined;
  pads: readonly number[] | undefined;
  dilations?: readonly number[] | undefined;
};

export const windowAttributes = { kernel_shape: ints(), strides: optionalInts, pads: optionalInts, dilations: optionalInts };

/** Window attributes with nothing left out. */
export function windowOf({ kernel_shape: kernel, strides, pads, dilations }: WindowAttributes): Window {
  const ones = kernel.map(() => 1);
  return { kernel, strides: strides ?? ones, pads: pads ?? [...kernel, ...kernel].map(() => 0), dilations: dilations ?? ones };
}

export type ConvAttributes = WindowAttributes & { group: number };

/** The weight's first axis divides into the groups, its others are the kernel's. @throws ShapeError */
function needKernel(x: Operand, w: Operand, { kernel_shape: kernel, group }: ConvAttributes): void {
  needRank(x, kernel.length + 2, "X");
  needRank(w, kernel.length + 2, "W");
  if (Number(w.shape[0]) % group) throw new ShapeError(`its ${w.shape[0]} filters do not divide into ${group} groups`);
  if (String(w.shape.slice(2)) !== String(kernel)) throw new ShapeError(`kernel_shape [${kernel}] is not the weight's ([${w.shape}])`);
}

function needBias(bias: Operand | undefined, channels: number): void {
  if (bias && String(bias.shape) !== String([channels])) throw new ShapeError(`bias: expected [${channels}], received [${bias.shape}]`);
}

export const Conv: OpDefinition<ConvAttributes> = {
  summary: "Convolution (cross-correlation): x [N, C, …], w [K, C / group, …], b [K] → [N, K, …].",
  sinceOpset: 11,
  attributes: { ...windowAttributes, group: int(1) },
  infer(inputs, attributes) {
    const [x, w] = needAll(inputs, ["X", "W"]);
    needKernel(x, w, attributes);
    const channels = known(x.shape[1], "the channel axis");
    const { group } = attributes;
    if (channels !== known(w.shape[1], "W") * group)
      throw new ShapeError(
        `input channels: expected ${Number(w.shape[1]) * group} (weight [${w.shape}], group ${group}), received ${channels}`,
      );
    needBias(inputs[2], known(w.shape[0], "W"));
    return [{ dtype: x.dtype, shape: [x.shape[0], w.shape[0], ...slide(x.shape.slice(2), windowOf(attributes))] }];
  },
  gradient(g, { inputs: [x, w, b], attributes, gradients }) {
    const dy = gradients[0]!;
    return [
      g.add("ConvInputGradient", [dy, w], { ...attributes, input_shape: knownShape(x) }),
      g.add("ConvWeightGradient", [x, dy], { ...attributes, weight_shape: knownShape(w) }),
      b && reduceSum(g, dy, axesButChannels(dy.shape.length), false),
    ];
  },
};

export const ConvInputGradient: OpDefinition<ConvAttributes & { input_shape: readonly number[] }> = {
  summary: "dL/dx of Conv from dy and w: each output pixel gives dy · w back to the pixels that it saw.",
  sinceOpset: undefined,
  attributes: { ...windowAttributes, group: int(1), input_shape: ints() },
  infer(inputs, { input_shape }) {
    const [dy] = needAll(inputs, ["dy", "W"]);
    return [{ dtype: dy.dtype, shape: input_shape }];
  },
};

export const ConvWeightGradient: OpDefinition<ConvAttributes & { weight_shape: readonly number[] }> = {
  summary: "dL/dw of Conv from x and dy: the correlation of what each tap saw with dy, summed over batch and pixels.",
  sinceOpset: undefined,
  attributes: { ...windowAttributes, group: int(1), weight_shape: ints() },
  infer(inputs, { weight_shape }) {
    const [x] = needAll(inputs, ["X", "dy"]);
    return [{ dtype: x.dtype, shape: weight_shape }];
  },
};

export const ConvTranspose: OpDefinition<ConvAttributes & { output_padding: readonly number[] | undefined }> = {
  summary: "Transposed convolution: x [N, K, …], w [K, C / group, …] → [N, C, …]: the adjoint of Conv in its input.",
  sinceOpset: 11,
  attributes: { ...windowAttributes, group: int(1), output_padding: optionalInts },
  infer(inputs, attributes) {
    const [x, w] = needAll(inputs, ["X", "W"]);
    const { kernel, strides, pads, dilations } = windowOf(attributes);
    needKernel(x, w, attributes);
    if (x.shape[1] !== w.shape[0]) throw new ShapeError(`input channels: expected ${w.shape[0]}, received ${x.shape[1]}`);
    const spatial = kernel.map((k, i): Dimension => {
      const size = (known(x.shape[i + 2], "a spatial axis") - 1) * strides[i] + dilations[i] * (k - 1) + 1;
      return size - pads[i] - pads[i + kernel.length] + (attributes.output_padding?.[i] ?? 0);
    });
    const channels = known(w.shape[1], "W") * attributes.group;
    needBias(inputs[2], channels);
    return [{ dtype: x.dtype, shape: [x.shape[0], channels, ...spatial] }];
  },
};
