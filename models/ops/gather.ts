import { ShapeError } from "../../core/errors.ts";
import { float32, numbersOf } from "../../core/tensor.ts";
import { isOfBatch, knownShape } from "../graph/graph.ts";
import { int, type OpDefinition } from "../graph/op.ts";
import { canonicalAxis, need } from "../graph/shape.ts";
import { pad } from "./movement.ts";
import { reshape } from "./shared.ts";

export const Gather: OpDefinition<{ axis: number }> = {
  summary: "Entries along an axis, by a list of indices.",
  sinceOpset: 13,
  attributes: { axis: int(0) },
  infer([operand, indices], { axis }) {
    const { dtype, shape } = need(operand, "data");
    const at = canonicalAxis(axis, shape.length);
    const size = shape[at];
    const { shape: entries, constant } = need(indices, "indices");
    const outside = isOfBatch(size) || !constant ? undefined : numbersOf(constant).find((index) => index < -size || index >= size);
    if (outside !== undefined) throw new ShapeError(`index ${outside} is outside of axis ${at} of [${shape}]`);
    return [{ dtype, shape: [...shape.slice(0, at), ...entries, ...shape.slice(at + 1)] }];
  },
  /** A single entry's gradient is padded with zeros; those of more are added where they belong by a matrix of zeros and ones. */
  gradient(g, { inputs: [x, indices], attributes: { axis }, gradients: [dy] }) {
    const shape = knownShape(x);
    const at = canonicalAxis(axis, shape.length);
    const constant = g.constantOf(indices);
    if (!constant) throw new ShapeError("its input 'indices' must be a constant: the gradient depends on it");
    const size = shape[at];
    const places = numbersOf(constant).map((index) => (index < 0 ? index + size : index));
    const [before, behind] = [shape.slice(0, at), shape.slice(at + 1)];
    if (places.length === 1) return [pad(g, reshape(g, dy!, [...before, 1, ...behind]), at, places[0], size - 1 - places[0])];
    const count = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
    const entries = reshape(g, dy!, [count(before), places.length, count(behind)]);
    const rows = Array.from({ length: size }, (_, row) => places.map((place) => Number(place === row))).flat();
    const matrix = g.initializer("belongs", float32(rows, [size, places.length]));
    return [reshape(g, g.add("MatMul", [matrix, entries]), shape)];
  },
};
