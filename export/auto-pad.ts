import { FivecropError } from "../core/errors.ts";
import type { Attribute, Value } from "../models/graph/graph.ts";

/** A window's attributes as a file has them. */
export type FileWindow = Readonly<Record<string, Attribute>> & {
  readonly auto_pad?: string;
  readonly kernel_shape?: readonly number[];
  readonly strides?: readonly number[];
  readonly dilations?: readonly number[];
};

/**
 * A window with its padding in numbers. SAME pads so that ⌈size / stride⌉ pixels come out; of an odd number the larger part is behind the image
 * (SAME_UPPER) or before it (SAME_LOWER).
 * @throws FivecropError for another rule, or an image whose size is not known.
 */
export function explicitWindow({ auto_pad = "NOTSET", ...window }: FileWindow, x: Value | undefined): Readonly<Record<string, Attribute>> {
  if (auto_pad === "NOTSET" || auto_pad === "VALID") return window as Readonly<Record<string, Attribute>>;
  const { kernel_shape: kernel, strides, dilations } = window;
  if (!["SAME_UPPER", "SAME_LOWER"].includes(auto_pad) || !x || !kernel)
    throw new FivecropError(`its attribute 'auto_pad' (${auto_pad}) is not supported here`);
  const totals = kernel.map((k, i) => {
    const size = Number(x.shape[i + 2]);
    const stride = strides?.[i] ?? 1;
    return Math.max(0, (Math.ceil(size / stride) - 1) * stride + (dilations?.[i] ?? 1) * (k - 1) + 1 - size);
  });
  const smaller = totals.map((total) => Math.floor(total / 2));
  const larger = totals.map((total) => Math.ceil(total / 2));
  const pads = auto_pad === "SAME_UPPER" ? [...smaller, ...larger] : [...larger, ...smaller];
  const { pads: _, ...others } = window as Readonly<Record<string, Attribute>>;
  return { ...others, pads };
}
