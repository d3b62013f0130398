import { ShapeError } from "../../core/errors.ts";
import { int64, numbersOf } from "../../core/tensor.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { type Dimension, factorOf, isOfBatch, knownShape, ofBatch, type Value } from "../graph/graph.ts";
import { int, ints, type OpDefinition, type Operand, text } from "../graph/op.ts";
import { broadcast, canonicalAxis, constantInts, known, need, product, sameType } from "../graph/shape.ts";
import { type NoAttributes, reshape, sumTo } from "./shared.ts";

export const Flatten: OpDefinition<{ axis: number }> = {
  summary: "[a, b, c, …] → a matrix: the axes before `axis` become rows, the others columns.",
  sinceOpset: 13,
  attributes: { axis: int(1) },
  infer([operand], { axis }) {
    const { dtype, shape } = need(operand, "input");
    const at = axis === shape.length ? axis : canonicalAxis(axis, shape.length);
    return [{ dtype, shape: [product(shape.slice(0, at)), product(shape.slice(at))] }];
  },
  gradient: (g, { inputs: [x], gradients: [dy] }) => [reshape(g, dy!, knownShape(x))],
};

export const Reshape: OpDefinition<{ allowzero: number }> = {
  summary: "The same elements in another shape; 0 keeps an axis, −1 takes what is left.",
  sinceOpset: 14,
  attributes: { allowzero: int(0) },
  infer([operand, target], { allowzero }) {
    const { dtype, shape } = need(operand, "data");
    const wanted = constantInts(target, "shape").map((d, i): Dimension => {
      if (d !== 0 || allowzero) return d;
      if (i >= shape.length) throw new ShapeError(`shape [0 at ${i}] keeps an axis that the input has not`);
      return shape[i];
    });
    const rest = wanted.filter((d) => d !== -1);
    const [all, said] = [product(shape), product(rest)];
    const left = factorOf(all) / factorOf(said);
    const open = wanted.length - rest.length;
    const batchLeft = isOfBatch(all) && !isOfBatch(said);
    const fits = open === 1 ? Number.isInteger(left) : open === 0 && left === 1 && !batchLeft;
    if (!fits || (isOfBatch(said) && !isOfBatch(all))) throw new ShapeError(`[${shape}] does not reshape to [${wanted}]`);
    return [{ dtype, shape: wanted.map((d) => (d === -1 ? (batchLeft ? ofBatch(left) : left) : d)) }];
  },
  gradient: (g, { inputs: [x], gradients: [dy] }) => [reshape(g, dy!, knownShape(x))],
};

export const Transpose: OpDefinition<{ perm: readonly number[] }> = {
  summary: "Axes in another order: output axis i is input axis perm[i].",
  sinceOpset: 13,
  attributes: { perm: ints() },
  infer([operand], { perm }) {
    const { dtype, shape } = need(operand, "data");
    if (String(perm.toSorted((a, b) => a - b)) !== String(shape.map((_, i) => i)))
      throw new ShapeError(`perm [${perm}] is no order of the axes of [${shape}]`);
    return [{ dtype, shape: perm.map((axis) => shape[axis]) }];
  },
  gradient: (g, { attributes: { perm }, gradients: [dy] }) => [g.add("Transpose", [dy], { perm: perm.map((_, i) => perm.indexOf(i)) })],
};

export const Expand: OpDefinition<NoAttributes> = {
  summary: "Repeats axes of size 1, by broadcasting to a shape.",
  sinceOpset: 13,
  attributes: {},
  infer([operand, target]) {
    const { dtype, shape } = need(operand, "input");
    return [{ dtype, shape: broadcast(shape, constantInts(target, "shape")) }];
  },
  gradient: (g, { inputs: [x], gradients: [dy] }) => [sumTo(g, dy!, x)],
};

export const Concat: OpDefinition<{ axis: number }> = {
  summary: "Values one behind the other along an axis.",
  sinceOpset: 13,
  attributes: { axis: int() },
  infer(inputs, { axis }) {
    const all = inputs.map((operand) => need(operand, "inputs"));
    const { dtype, shape } = need(all[0], "inputs");
    const at = canonicalAxis(axis, shape.length);
    for (const other of all) {
      sameType(all[0], other);
      if (other.shape.length !== shape.length || other.shape.some((d, i) => i !== at && d !== shape[i]))
        throw new ShapeError(`along axis ${at}, [${shape}] and [${other.shape}] do not fit`);
    }
    const length = all.reduce((sum, operand) => sum + known(operand.shape[at], "a concatenated axis"), 0);
    return [{ dtype, shape: shape.map((d, i) => (i === at ? length : d)) }];
  },
  gradient(g, { inputs, attributes: { axis }, gradients: [dy] }) {
    const at = canonicalAxis(axis, inputs[0].shape.length);
    let from = 0;
    return inputs.map((x) => {
      const to = from + knownShape(x)[at];
      const part = slice(g, dy!, at, from, to);
      from = to;
      return part;
    });
  },
};

/** x[…, from:to:step, …] along one axis. */
export const slice = (g: GraphBuilder, x: Value, axis: number, from: number, to: number, step = 1): Value =>
  g.add("Slice", [x, ...[from, to, axis, step].map((n, i) => g.initializer(["starts", "ends", "axes", "steps"][i], int64([n])))]);

interface Range {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** What Slice takes along each of its axes, clamped as ONNX says. */
function rangesOf(shape: readonly Dimension[], inputs: readonly (Operand | undefined)[]): Range[] {
  const starts = constantInts(inputs[1], "starts");
  const ends = constantInts(inputs[2], "ends");
  const axes = inputs[3] ? constantInts(inputs[3], "axes") : starts.map((_, i) => i);
  const steps = inputs[4] ? constantInts(inputs[4], "steps") : starts.map(() => 1);
  if ([ends, axes, steps].some(({ length }) => length !== starts.length))
    throw new ShapeError(`starts [${starts}], ends [${ends}], axes [${axes}] and steps [${steps}] do not belong together`);
  return starts.map((begin, i) => {
    const axis = canonicalAxis(axes[i], shape.length);
    const size = known(shape[axis], "a sliced axis");
    const step = steps[i];
    if (step === 0) throw new ShapeError("a step of 0");
    const clamp = (at: number, low: number, high: number) => Math.min(Math.max(at < 0 ? at + size : at, low), high);
    const start = step > 0 ? clamp(begin, 0, size) : clamp(begin, 0, size - 1);
    const end = step > 0 ? clamp(ends[i], 0, size) : clamp(ends[i], -1, size - 1);
    return { axis, start, step, length: Math.max(0, Math.ceil((end - start) / step)) };
  });
}

export const Slice: OpDefinition<NoAttributes> = {
  summary: "Part of a value: start, end and step for each axis.",
  sinceOpset: 13,
  attributes: {},
  infer(inputs) {
    const { dtype, shape } = need(inputs[0], "data");
    const sizes = new Map(rangesOf(shape, inputs).map(({ axis, length }) => [axis, length]));
    return [{ dtype, shape: shape.map((d, i) => sizes.get(i) ?? d) }];
  },
  /** A step of 1 pads dy with zeros; others gather from dy with a zero behind it. */
  gradient(g, { inputs, gradients: [dy] }) {
    const shape = knownShape(inputs[0]);
    const operands = inputs.map((value) => value && { ...value, constant: g.constantOf(value) });
    return [
      rangesOf(shape, operands).reduce((dx, { axis, start, step, length }) => {
        if (step === 1) return pad(g, dx, axis, start, shape[axis] - start - length);
        const source = Array<number>(shape[axis]).fill(length);
        for (let i = 0; i < length; i++) source[start + i * step] = i;
        return g.add("Gather", [pad(g, dx, axis, 0, 1), g.initializer("indices", int64(source))], { axis });
      }, dy!),
    ];
  },
};

/** Zeros, or another value, before and behind along one axis. */
export const pad = (g: GraphBuilder, x: Value, axis: number, before: number, behind: number, value?: number): Value =>
  padAxes(g, x, [[axis, before, behind]], value);

/** The same along several axes at once. */
export function padAxes(
  g: GraphBuilder,
  x: Value,
  sides: readonly (readonly [axis: number, before: number, behind: number])[],
  value?: number,
): Value {
  if (sides.every(([, before, behind]) => before === 0 && behind === 0)) return x;
  const rank = x.shape.length;
  const pads = Array<number>(2 * rank).fill(0);
  for (const [axis, before, behind] of sides) {
    pads[axis] = before;
    pads[axis + rank] = behind;
  }
  return g.add("Pad", [x, g.initializer("pads", int64(pads)), value === undefined ? undefined : g.scalar(value)]);
}

export const Pad: OpDefinition<{ mode: string }> = {
  summary: "A constant before and behind each axis; a negative number of pads crops.",
  sinceOpset: 13,
  attributes: { mode: text("constant") },
  infer([operand, padsInput, , axes], { mode }) {
    const { dtype, shape } = need(operand, "data");
    if (axes) throw new ShapeError("its input 'axes' is not supported: give pads for every axis");
    if (mode !== "constant") throw new ShapeError(`mode '${mode}' is not supported, only 'constant'`);
    const pads = constantInts(padsInput, "pads");
    if (pads.length !== 2 * shape.length) throw new ShapeError(`pads: expected ${2 * shape.length} numbers, received ${pads.length}`);
    return [
      {
        dtype,
        shape: shape.map((d, i) => {
          const total = pads[i] + pads[i + shape.length];
          if (total === 0 && pads[i] === 0) return d;
          const size = known(d, "a padded axis") + total;
          if (size < 0) throw new ShapeError(`axis ${i} of [${shape}] has no ${-total} elements to take away`);
          return size;
        }),
      },
    ];
  },
  gradient(g, { inputs: [, pads], gradients: [dy] }) {
    const opposite = numbersOf(g.constantOf(pads)!).map((n) => -n || 0);
    return [g.add("Pad", [dy, g.initializer("pads", int64(opposite))])];
  },
};
