import { FivecropError } from "../core/errors.ts";
import { float32, scalar } from "../core/tensor.ts";
import type { GraphBuilder } from "../models/graph/builder.ts";
import type { Attribute, Value } from "../models/graph/graph.ts";
import { explicitWindow, type FileWindow } from "./auto-pad.ts";
import { toInt64 } from "./tensor-data.ts";

type Given = Readonly<Record<string, Attribute>>;

/** One node as the file has it. */
export interface UpgradeSite {
  readonly opset: number;
  readonly name: string;
  readonly attributes: Given;
  readonly inputs: readonly (Value | undefined)[];
  /** Its outputs that have a name. */
  readonly outputs: number;
  /** Takes the constants, and the nodes that a form needs besides its own. */
  readonly g: GraphBuilder;
}

/** A node in the form that OPS knows; what is left out stays as the file has it. */
export interface Upgraded {
  readonly op?: string;
  readonly inputs?: readonly (Value | undefined)[];
  readonly attributes?: Given;
  /** What follows the node. */
  readonly after?: (output: Value) => Value;
}

/** @throws FivecropError where today's form cannot say the same. */
type Upgrade = (site: UpgradeSite) => Upgraded;

/** Without the attributes whose value says the same as leaving them out. */
function without(attributes: Given, neutral: Readonly<Record<string, readonly Attribute[]>>): Given {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      ([name, value]) => !(Object.hasOwn(neutral, name) && neutral[name].some((n) => String(n) === String(value))),
    ),
  );
}

const integers = ({ g, name }: UpgradeSite, what: string, numbers: readonly number[]): Value =>
  g.initializer(`${name}/${what}`, toInt64(numbers));

/** An attribute that became an input: the integers of `attribute` at place `at`, and the attribute gone. */
function listAsInput(site: UpgradeSite, attribute: string, at: number): Upgraded {
  const { [attribute]: list, ...attributes } = site.attributes;
  if (!Array.isArray(list)) return {};
  const inputs = Array.from({ length: Math.max(site.inputs.length, at + 1) }, (_, i) =>
    i === at ? integers(site, attribute, list) : site.inputs[i],
  );
  return { inputs, attributes };
}

const axesAsInput: Upgrade = (site) => listAsInput(site, "axes", 1);

/** AveragePool has `dilations` since opset 19. */
const NO_DILATION = [[1], [1, 1], [1, 1, 1]];

const pool: Upgrade = ({ attributes, inputs: [x] }) => ({
  attributes: explicitWindow(without(attributes, { storage_order: [0], dilations: NO_DILATION }) as FileWindow, x),
});

const convolution: Upgrade = ({ attributes, inputs: [x, weight] }) => ({
  attributes: explicitWindow({ ...(weight && { kernel_shape: weight.shape.slice(2).map(Number) }), ...attributes } as FileWindow, x),
});

const transposedConvolution: Upgrade = ({ attributes, inputs: [, weight] }) => ({
  attributes: {
    ...(weight && { kernel_shape: weight.shape.slice(2).map(Number) }),
    ...without(attributes, { auto_pad: ["NOTSET", "VALID"] }),
  },
});

/** Below opset 13 all axes from `axis` (1 where not given) are one: today's form is over a matrix, which then takes its shape again. */
const softmax: Upgrade = ({ opset, attributes, inputs: [x], g, name }) => {
  if (opset >= 13 || !x) return {};
  const rank = x.shape.length;
  const given = Number(attributes.axis ?? 1);
  const axis = given < 0 ? given + rank : given;
  if (x.shape.slice(axis + 1).every((d) => d === 1)) return { attributes: { axis: axis === rank - 1 ? -1 : axis } };
  const shape = x.shape.map((d) => (d === "N" ? -1 : d));
  return {
    inputs: [g.add("Flatten", [x], { axis }, `${name}/flat`)],
    attributes: { axis: -1 },
    after: (y) => g.add("Reshape", [y, g.initializer(`${name}/shape`, toInt64(shape))], {}, `${name}/shaped`),
  };
};

const batchNorm: Upgrade = ({ opset, attributes, outputs }) => {
  if (opset < 14 && outputs > 1)
    throw new FivecropError(`its ${outputs} outputs mean training mode in opset ${opset}: export in inference mode`);
  return { attributes: without(attributes, { spatial: [1], is_test: [1] }) };
};

/** A bound that opset 10 and older have as an attribute. */
const bound = ({ g }: UpgradeSite, value: Attribute | undefined): Value | undefined =>
  typeof value === "number" ? g.scalar(value) : undefined;

const clip: Upgrade = (site) => {
  const { min, max, ...attributes } = site.attributes;
  return min === undefined && max === undefined ? {} : { inputs: [site.inputs[0], bound(site, min), bound(site, max)], attributes };
};

/** In a file's training mode or not, it drops in training with the file's own ratio, and does nothing at inference. */
const dropout: Upgrade = ({ attributes: { ratio = 0.5, ...attributes }, inputs: [x, given], g }) => {
  if (given && !g.constantOf(given)) throw new FivecropError("its input 'ratio' must be a constant");
  return { inputs: [x, given ?? g.initializer("ratio", scalar(Number(ratio)))], attributes };
};

/** Of opset 18 on `axes` may name the axes that `pads` are of; the others have none. */
const pad: Upgrade = (site) => {
  const { g, inputs, attributes } = site;
  if (Array.isArray(attributes.pads)) {
    const { pads, value = 0, ...others } = attributes;
    return { inputs: [inputs[0], integers(site, "pads", attributes.pads), g.scalar(Number(value))], attributes: others };
  }
  const [x, padsInput, value, axesInput] = inputs;
  const [pads, axes] = [padsInput, axesInput].map((v) => v && g.constantOf(v));
  if (!x || !axesInput || !pads || !axes) return {};
  const rank = x.shape.length;
  const whole = Array<number>(2 * rank).fill(0);
  Array.from(axes.data, Number).forEach((axis, i) => {
    const at = axis < 0 ? axis + rank : axis;
    whole[at] = Number(pads.data[i]);
    whole[at + rank] = Number(pads.data[i + axes.data.length]);
  });
  return { inputs: [x, integers(site, "pads", whole), value] };
};

const slice: Upgrade = (site) => {
  const { starts, ends, axes, ...attributes } = site.attributes;
  if (!Array.isArray(starts) || !Array.isArray(ends)) return {};
  const lists = [integers(site, "starts", starts), integers(site, "ends", ends)];
  return { inputs: [site.inputs[0], ...lists, ...(Array.isArray(axes) ? [integers(site, "axes", axes)] : [])], attributes };
};

/** The parts' sizes are always said, as opset 13 does it: equal parts, of which the last may be smaller, where the file says none. */
const split: Upgrade = (site) => {
  const { split: sizes, num_outputs, ...attributes } = site.attributes;
  const [x, given] = site.inputs;
  if (given || !x) return {};
  if (Array.isArray(sizes)) return { inputs: [x, integers(site, "split", sizes)], attributes };
  const axis = Number(attributes.axis ?? 0);
  const size = Number(x.shape.at(axis));
  const parts = Number(num_outputs ?? site.outputs);
  const each = Math.ceil(size / parts);
  const equal = Array.from({ length: parts }, (_, i) => Math.min(each, size - i * each));
  if (!equal.every((part) => part >= 0)) throw new FivecropError(`axis ${axis} of [${x.shape}] does not split into ${parts} parts`);
  return { inputs: [x, integers(site, "split", equal)], attributes };
};

/** What opset 10 and older mean by nearest. */
const OLD_NEAREST = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" } as const;

/** Of opset 18 on, what says no more than leaving it out. */
const NEUTRAL_RESIZE = { antialias: [0], keep_aspect_ratio_policy: ["stretch"] };

/** Of opset 18 on `axes` may name the axes that `scales` are of; the others are not resized. */
const resize: Upgrade = ({ opset, name, inputs, attributes: { axes, ...given }, g }) => {
  if (opset < 11) return { inputs: [inputs[0], undefined, inputs[1]], attributes: { ...OLD_NEAREST, ...given } };
  const attributes = without(given, NEUTRAL_RESIZE);
  const [x, , scales] = inputs;
  const list = scales && g.constantOf(scales);
  if (!Array.isArray(axes) || !x || !list || list.data.length !== axes.length) return { attributes };
  const whole = x.shape.map(() => 1);
  axes.forEach((axis, i) => {
    whole[axis < 0 ? axis + whole.length : axis] = Number(list.data[i]);
  });
  return { inputs: [x, undefined, g.initializer(`${name}/scales`, float32(whole))], attributes };
};

const upsample: Upgrade = ({ g, name, inputs: [x, given], attributes: { scales, ...attributes } }) => {
  const list = Array.isArray(scales)
    ? g.initializer(`${name}/scales`, { dtype: "float32", shape: [scales.length], data: Float32Array.from(scales) })
    : given;
  return { op: "Resize", inputs: [x, undefined, list], attributes: { mode: "nearest", ...OLD_NEAREST, ...attributes } };
};

const transpose: Upgrade = ({ attributes, inputs: [x] }) => ({
  attributes: { ...(x && { perm: x.shape.map((_, i) => x.shape.length - 1 - i) }), ...attributes },
});

/** What opsets 7 to 21 and other writers spell differently, by operator. An operator without a row is taken as it is. */
const UPGRADES: Readonly<Record<string, Upgrade>> = {
  AveragePool: pool,
  BatchNormalization: batchNorm,
  Cast: ({ attributes }) => ({ attributes: without(attributes, { saturate: [1] }) }),
  Clip: clip,
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  Dropout: dropout,
  LogSoftmax: softmax,
  MaxPool: pool,
  Pad: pad,
  ReduceL1: axesAsInput,
  ReduceL2: axesAsInput,
  ReduceMax: axesAsInput,
  ReduceMean: axesAsInput,
  ReduceMin: axesAsInput,
  ReduceProd: axesAsInput,
  ReduceSum: axesAsInput,
  ReduceSumSquare: axesAsInput,
  Resize: resize,
  Slice: slice,
  Softmax: softmax,
  Split: split,
  Squeeze: axesAsInput,
  Transpose: transpose,
  Unsqueeze: axesAsInput,
  Upsample: upsample,
};

/** A node in the form that OPS knows, whichever opset it was written in. @throws FivecropError where that form cannot say the same. */
export function upgrade(op: string, site: UpgradeSite): Required<Omit<Upgraded, "after">> & Pick<Upgraded, "after"> {
  const written = Object.hasOwn(UPGRADES, op) ? UPGRADES[op](site) : {};
  return { op, inputs: site.inputs, attributes: site.attributes, ...written };
}
