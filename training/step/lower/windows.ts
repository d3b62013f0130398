import { int64 } from "../../../core/tensor.ts";
import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Value } from "../../../models/graph/graph.ts";
import { pad } from "../../../models/ops/movement.ts";
import { reshape } from "../../../models/ops/shared.ts";

/** Windows that slide along one axis of a value: `outputs` of them, `kernel` places each. */
export interface Sliding {
  readonly axis: number;
  readonly size: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Places before the first. */
  readonly before: number;
}

/** Place i of window j is at i · dilation + j · stride = (quotient + j) · stride + residue of the padded axis. */
const placesOf = ({ kernel, stride, dilation }: Sliding): { readonly quotient: number; readonly residue: number }[] =>
  Array.from({ length: kernel }, (_, i) => ({ quotient: Math.floor((i * dilation) / stride), residue: (i * dilation) % stride }));

/** How many rows of `stride` places cover every window; what lies behind them on the axis no window sees. */
const rowsOf = (sliding: Sliding): number => Math.max(...placesOf(sliding).map(({ quotient }) => quotient)) + sliding.outputs;

const replaced = (shape: readonly number[], axis: number, ...sizes: readonly number[]): number[] => [
  ...shape.slice(0, axis),
  ...sizes,
  ...shape.slice(axis + 1),
];

/** For each place in the window, what all windows see there: `kernel` values with `outputs` entries along the axis. Padding is `fill`. */
export function seenAt(g: GraphBuilder, x: Value, sliding: Sliding, fill: number): Value[] {
  const { axis, size, outputs, stride, before } = sliding;
  const rows = rowsOf(sliding);
  const padded = pad(g, x, axis, before, rows * stride - before - size, fill);
  const shape = knownShape(padded);
  const split = reshape(g, padded, replaced(shape, axis, rows, stride));
  return placesOf(sliding).map(({ quotient, residue }) => {
    const bounds = [
      [quotient, residue],
      [quotient + outputs, residue + 1],
      [axis, axis + 1],
    ].map((list) => g.initializer("place", int64(list)));
    return reshape(g, g.add("Slice", [split, ...bounds]), replaced(shape, axis, outputs));
  });
}

/** The adjoint of `seenAt`: adds what each window gives to each of its places, [.., outputs, ..] each, to an axis of `size`. */
export function scatterBack(g: GraphBuilder, given: readonly Value[], sliding: Sliding): Value {
  const { axis, size, stride, before, outputs } = sliding;
  const rows = rowsOf(sliding);
  const shape = knownShape(given[0]);
  const residues: (Value | undefined)[] = Array(stride).fill(undefined);
  placesOf(sliding).forEach(({ quotient, residue }, i) => {
    const shifted = pad(g, given[i], axis, quotient, rows - quotient - outputs);
    const sum = residues[residue];
    residues[residue] = sum ? g.add("Add", [sum, shifted]) : shifted;
  });
  const nothing = () => g.add("Mul", [pad(g, given[0], axis, 0, rows - outputs), g.scalar(0)]);
  const columns = residues.map((value) => reshape(g, value ?? nothing(), replaced(shape, axis, rows, 1)));
  const interleaved = stride === 1 ? columns[0] : g.add("Concat", columns, { axis: axis + 1 });
  const whole = reshape(g, interleaved, replaced(shape, axis, rows * stride));
  return pad(g, whole, axis, -before, before + size - rows * stride);
}
