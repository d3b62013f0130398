import { ShapeError } from "../../core/errors.ts";
import { zeros } from "../../core/tensor.ts";
import { type Dimension, isOfBatch, knownShape } from "../graph/graph.ts";
import { int, type OpDefinition } from "../graph/op.ts";
import { canonicalAxis, constantInts, known, need } from "../graph/shape.ts";
import { type NoAttributes, reshape } from "./shared.ts";

export const Squeeze: OpDefinition<NoAttributes> = {
  summary: "Without some axes of size 1; without all of them where no axes are given.",
  sinceOpset: 13,
  attributes: {},
  infer([operand, axesInput]) {
    const { dtype, shape } = need(operand, "data");
    const named = axesInput && constantInts(axesInput, "axes").map((axis) => canonicalAxis(axis, shape.length));
    if (!named && shape.some(isOfBatch)) throw new ShapeError("without axes a batch of one image would lose its batch axis: name the axes");
    const axes = named ?? shape.flatMap((d, i) => (d === 1 ? [i] : []));
    for (const axis of axes) if (shape[axis] !== 1) throw new ShapeError(`axis ${axis} of [${shape}] is not 1`);
    return [{ dtype, shape: shape.filter((_, i) => !axes.includes(i)) }];
  },
  gradient: (g, { inputs: [x], gradients: [dy] }) => [reshape(g, dy!, knownShape(x))],
};

export const Unsqueeze: OpDefinition<NoAttributes> = {
  summary: "With more axes of size 1, at places that count in the output.",
  sinceOpset: 13,
  attributes: {},
  infer([operand, axesInput]) {
    const { dtype, shape } = need(operand, "data");
    const given = constantInts(axesInput, "axes");
    const axes = given.map((axis) => canonicalAxis(axis, shape.length + given.length));
    if (new Set(axes).size !== axes.length) throw new ShapeError(`axes [${given}] name one place twice`);
    const rest = [...shape];
    return [{ dtype, shape: Array.from({ length: shape.length + axes.length }, (_, i) => (axes.includes(i) ? 1 : rest.shift()!)) }];
  },
  gradient: (g, { inputs: [x], gradients: [dy] }) => [reshape(g, dy!, knownShape(x))],
};

export const Split: OpDefinition<{ axis: number }> = {
  summary: "Parts of a value along an axis, of the lengths `split`, one behind the other.",
  sinceOpset: 13,
  attributes: { axis: int(0) },
  infer([operand, lengths], { axis }) {
    const { dtype, shape } = need(operand, "input");
    const at = canonicalAxis(axis, shape.length);
    const size = known(shape[at], "a split axis");
    const parts = constantInts(lengths, "split");
    if (parts.reduce((sum, part) => sum + part, 0) !== size || parts.some((part) => part < 1))
      throw new ShapeError(`split [${parts}] does not add up to axis ${at} of [${shape}] from parts of at least 1`);
    return parts.map((part) => ({ dtype, shape: shape.map((d, i): Dimension => (i === at ? part : d)) }));
  },
  gradient(g, { outputs, attributes, gradients }) {
    const parts = gradients.map((dy, i) => dy ?? g.initializer("none", zeros("float32", knownShape(outputs[i]))));
    return [g.add("Concat", parts, { axis: attributes.axis })];
  },
};
