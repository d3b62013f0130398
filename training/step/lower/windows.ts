import { int64 } from "../../../core/tensor.ts";
import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Value } from "../../../models/graph/graph.ts";
import { pad, slice } from "../../../models/ops/movement.ts";
import { reshape } from "../../../models/ops/shared.ts";

/** Windows that slide along one axis of a value: `outputs` of them, `kernel` places each. */
export interface Sliding {
  readonly axis: number;
  readonly size: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Places of padding before the first of the axis. */
  readonly before: number;
}

/** Where the windows have one of their places: window j at (j + shift) · stride + phase of the axis, where that is from 0 to size − 1, else in the padding. */
interface Place {
  readonly shift: number;
  readonly phase: number;
  /** Window `first` is the first one, and window `end` the first behind them, that have this place on a row of the axis. */
  readonly first: number;
  readonly end: number;
}

/** The axis as rows of `stride` places each, the last one perhaps filled up. */
const rowsOf = ({ size, stride }: Sliding): number => Math.ceil(size / stride);

const placesOf = (sliding: Sliding): readonly Place[] =>
  Array.from({ length: sliding.kernel }, (_, i) => {
    const { outputs, stride, dilation, before } = sliding;
    const shift = Math.floor((i * dilation - before) / stride);
    const phase = i * dilation - before - shift * stride;
    return { shift, phase, first: Math.max(0, -shift), end: Math.min(outputs, rowsOf(sliding) - shift) };
  });

const replaced = (shape: readonly number[], axis: number, ...sizes: readonly number[]): number[] => [
  ...shape.slice(0, axis),
  ...sizes,
  ...shape.slice(axis + 1),
];

/**
 * For each place in the window, what all windows see there: `kernel` values with `outputs` entries along the axis; `undefined` for a place that all have in
 * the padding. Padding is `fill`.
 */
export function seenAt(g: GraphBuilder, x: Value, sliding: Sliding, fill: number): (Value | undefined)[] {
  const { axis, size, outputs, stride } = sliding;
  const rows = rowsOf(sliding);
  const filled = pad(g, x, axis, 0, rows * stride - size, fill);
  const shape = knownShape(filled);
  const split = reshape(g, filled, replaced(shape, axis, rows, stride));
  return placesOf(sliding).map(({ shift, phase, first, end }) => {
    if (first >= end) return undefined;
    const bounds = [
      [first + shift, phase],
      [end + shift, phase + 1],
      [axis, axis + 1],
    ].map((list) => g.initializer("place", int64(list)));
    const seen = reshape(g, g.add("Slice", [split, ...bounds]), replaced(shape, axis, end - first));
    return pad(g, seen, axis, first, outputs - end, fill);
  });
}

/** The adjoint of `seenAt`: adds what each window gives to each of its places, [.., outputs, ..] each, to an axis of `size`. */
export function scatterBack(g: GraphBuilder, given: readonly (Value | undefined)[], sliding: Sliding): Value {
  const { axis, size, stride } = sliding;
  const rows = rowsOf(sliding);
  const phases: (Value | undefined)[] = Array(stride).fill(undefined);
  placesOf(sliding).forEach(({ shift, phase, first, end }, i) => {
    const value = given[i];
    if (!value || first >= end) return;
    const shifted = pad(g, value, axis, shift, rows - sliding.outputs - shift);
    const sum = phases[phase];
    phases[phase] = sum ? g.add("Add", [sum, shifted]) : shifted;
  });
  const some = phases.find((sum) => sum !== undefined)!;
  const shape = knownShape(some);
  const columns = phases.map((sum) => reshape(g, sum ?? g.add("Mul", [some, g.scalar(0)]), replaced(shape, axis, rows, 1)));
  const interleaved = stride === 1 ? columns[0] : g.add("Concat", columns, { axis: axis + 1 });
  const whole = reshape(g, interleaved, replaced(shape, axis, rows * stride));
  return rows * stride === size ? whole : slice(g, whole, axis, 0, size);
}
