import { ShapeError } from "../../core/errors.ts";
import { numbersOf } from "../../core/tensor.ts";
import { type Dimension, factorOf, isOfBatch, ofBatch, type ValueType } from "./graph.ts";
import type { Operand } from "./op.ts";

/** An input that must be there. @throws ShapeError */
export function need<T>(operand: T | undefined, what: string): T {
  if (operand === undefined) throw new ShapeError(`its input '${what}' is missing`);
  return operand;
}

/** Every one of the first `count` inputs. @throws ShapeError */
export const needAll = (inputs: readonly (Operand | undefined)[], names: readonly string[]): readonly Operand[] =>
  names.map((name, i) => need(inputs[i], name));

/** The integers that a shape depends on. @throws ShapeError where they are computed at run time. */
export function constantInts(operand: Operand | undefined, what: string): number[] {
  const { constant } = need(operand, what);
  if (!constant) throw new ShapeError(`its input '${what}' must be a constant`);
  return numbersOf(constant);
}

/** @throws ShapeError where the operand has another number of axes. */
export function needRank(operand: Operand, rank: number, what: string): void {
  if (operand.shape.length !== rank)
    throw new ShapeError(`${what}: expected ${rank} axes, received ${operand.shape.length} ([${operand.shape}])`);
}

/** An axis counted from the front. @throws ShapeError */
export function canonicalAxis(axis: number, rank: number): number {
  const canonical = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || canonical < 0 || canonical >= rank)
    throw new ShapeError(`axis ${axis} is outside of a value with ${rank} axes`);
  return canonical;
}

/** A dimension that must be a number. @throws ShapeError for the batch. */
export function known(dimension: Dimension, what: string): number {
  if (isOfBatch(dimension)) throw new ShapeError(`${what} must not be the batch axis`);
  return dimension;
}

/** The product of dimensions: a number, or the batch's multiple where it is one of them. @throws ShapeError where the batch is in it more than once. */
export function product(dimensions: readonly Dimension[]): Dimension {
  const factor = dimensions.reduce<number>((all, d) => all * factorOf(d), 1);
  const batches = dimensions.filter(isOfBatch).length;
  if (batches > 1) throw new ShapeError(`the batch axis cannot be merged with itself ([${dimensions}])`);
  return batches ? ofBatch(factor) : factor;
}

/** Two shapes by ONNX's multidirectional broadcasting (NumPy's): aligned at the last axis, a 1 repeats. @throws ShapeError */
export function broadcast(a: readonly Dimension[], b: readonly Dimension[]): readonly Dimension[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new ShapeError(`shapes [${a}] and [${b}] do not broadcast (${x} against ${y})`);
    return x === 1 ? y : x;
  });
}

/** @throws ShapeError where the element types differ. */
export function sameType(a: ValueType, b: ValueType): void {
  if (a.dtype !== b.dtype) throw new ShapeError(`types differ: ${a.dtype} and ${b.dtype}`);
}

/** The window of Conv and the pools along height and width, complete. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  /** [top, left, bottom, right] */
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
}

/**
 * Output sizes of a window that slides over an image: floor((size + pads − dilation · (kernel − 1) − 1) / stride) + 1, or the ceiling.
 * With the ceiling, a window that would start in the padding behind the image is left out.
 * @throws ShapeError where the window is larger than the padded image.
 */
export function slide(size: readonly Dimension[], window: Window, ceil = false): number[] {
  const axes = window.kernel.length;
  if (window.strides.length !== axes || window.dilations.length !== axes || window.pads.length !== 2 * axes)
    throw new ShapeError(
      `kernel [${window.kernel}], strides [${window.strides}], dilations [${window.dilations}] and pads [${window.pads}] do not belong together`,
    );
  for (const [name, numbers] of Object.entries({ kernel: window.kernel, strides: window.strides, dilations: window.dilations }))
    if (numbers.some((n) => n < 1)) throw new ShapeError(`${name}: expected at least 1, received [${numbers}]`);
  return window.kernel.map((kernel, i) => {
    const end = known(size[i], "a spatial axis") + window.pads[i];
    const padded = end + window.pads[i + axes];
    const reach = window.dilations[i] * (kernel - 1) + 1;
    if (reach > padded) throw new ShapeError(`the window covers ${reach} pixels where the padded image has ${padded}`);
    const count = (ceil ? Math.ceil : Math.floor)((padded - reach) / window.strides[i]) + 1;
    return ceil && (count - 1) * window.strides[i] >= end ? count - 1 : count;
  });
}

/** Pads of this value are no window's maximum: it is below every finite pixel. */
export const LOWEST = -3.4028234663852886e38;

/** How many pixels each window of an average pool counts, along each axis: pads count where `includesPads` says so, what lies behind them never. */
export const pixelsOfWindows = (
  { kernel, strides, pads }: Window,
  size: readonly number[],
  outputs: readonly number[],
  includesPads: boolean,
): readonly (readonly number[])[] =>
  outputs.map((count, i) => {
    const [begin, end] = includesPads ? [-pads[i], size[i] + pads[i + kernel.length]] : [0, size[i]];
    return Array.from({ length: count }, (_, j) => {
      const start = j * strides[i] - pads[i];
      return Math.min(start + kernel[i], end) - Math.max(start, begin);
    });
  });
