import { FivecropError } from "../core/errors.ts";
import type { Attribute, Value } from "../models/graph/graph.ts";

type Given = Readonly<Record<string, Attribute>>;

/** One node as the file has it. */
export interface UpgradeSite {
  readonly opset: number;
  readonly attributes: Given;
  readonly inputs: readonly (Value | undefined)[];
  /** Its outputs that have a name. */
  readonly outputs: number;
}

/** @returns the attributes in the form that OPS knows. @throws FivecropError where that form cannot say the same. */
type Upgrade = (site: UpgradeSite) => Given;

/** Without the attributes whose value says the same as leaving them out. */
function without(attributes: Given, neutral: Readonly<Record<string, readonly Attribute[]>>): Given {
  return Object.fromEntries(
    Object.entries(attributes).filter(([name, value]) => !(Object.hasOwn(neutral, name) && neutral[name].includes(value))),
  );
}

const window: Upgrade = ({ attributes }) => without(attributes, { auto_pad: ["NOTSET", "VALID"], storage_order: [0] });

const convolution: Upgrade = (site) => {
  const kernel = site.inputs[1]?.shape.slice(2).map(Number);
  return { ...(kernel && { kernel_shape: kernel }), ...window(site) };
};

/** Below opset 13 all axes from `axis` (1 where not given) are one; that is today's form only where it is the last. */
const softmax: Upgrade = ({ opset, attributes, inputs: [x] }) => {
  if (opset >= 13 || !x) return attributes;
  const axis = Number(attributes.axis ?? 1);
  if (axis !== -1 && axis !== x.shape.length - 1)
    throw new FivecropError(`axis ${axis} of [${x.shape}] means more than one axis in opset ${opset}, which is not supported`);
  return { axis: -1 };
};

const batchNorm: Upgrade = ({ opset, attributes, outputs }) => {
  if (opset < 14 && outputs > 1)
    throw new FivecropError(`its ${outputs} outputs mean training mode in opset ${opset}: export in inference mode`);
  return without(attributes, { spatial: [1] });
};

/** What other opsets and writers spell differently, by operator. An operator without a row is taken as it is. */
const UPGRADES: Readonly<Record<string, Upgrade>> = {
  AveragePool: window,
  BatchNormalization: batchNorm,
  Conv: convolution,
  ConvTranspose: convolution,
  LogSoftmax: softmax,
  MaxPool: window,
  Softmax: softmax,
  Transpose: ({ attributes, inputs: [x] }) => ({ ...(x && { perm: x.shape.map((_, i) => x.shape.length - 1 - i) }), ...attributes }),
};

/** A node's attributes in the form that OPS knows, whichever opset they were written in. */
export const upgrade = (op: string, site: UpgradeSite): Given => (Object.hasOwn(UPGRADES, op) ? UPGRADES[op](site) : site.attributes);
