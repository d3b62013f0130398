import { random } from "../../core/random.ts";
import { float32, type Tensor } from "../../core/tensor.ts";
import type { GraphBuilder } from "../../models/graph/builder.ts";
import { type Graph, knownShape, type Value } from "../../models/graph/graph.ts";
import type { OpDefinition } from "../../models/graph/op.ts";
import { graphBuilder, OPS, type OpName } from "../../models/ops/index.ts";
import { type Array64, fromTensor } from "../reference/array.ts";
import type { Case } from "./cases.ts";

export const OP_NAMES = Object.keys(OPS) as OpName[];

/** An operator's definition, whatever its attributes. */
export const definitionOf = (op: OpName): OpDefinition => OPS[op] as OpDefinition;

const isFed = (c: Case, i: number): boolean => c.inputs[i]?.dtype === "float32" && !c.held.includes(i);

/** A case's node in a graph of its own: float32 inputs are fed as `x0`, `x1`, …, others are initializers. */
export function addCase(
  g: GraphBuilder,
  op: OpName,
  c: Case,
): { readonly inputs: readonly (Value | undefined)[]; readonly outputs: readonly Value[] } {
  const inputs = c.inputs.map((t, i) => {
    if (!t) return undefined;
    return isFed(c, i) ? g.input(`x${i}`, t.dtype, t.shape) : g.initializer(`x${i}`, t);
  });
  return { inputs, outputs: g.addAll(op, inputs, c.attributes, "y") };
}

export function graphOf(op: OpName, c: Case): Graph {
  const g = graphBuilder();
  return g.build(op, addCase(g, op, c).outputs);
}

/** What the case feeds, by the names that `addCase` gives. */
export const fedTensors = (c: Case): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(c.inputs.flatMap((t, i) => (t && isFed(c, i) ? [[`x${i}`, t] as const] : [])));

export const fedArrays = (c: Case): Readonly<Record<string, Array64>> =>
  Object.fromEntries(Object.entries(fedTensors(c)).map(([name, t]) => [name, fromTensor(t)]));

/** The inputs whose gradients a case compares. */
export const trainedInputs = (c: Case): number[] => c.inputs.flatMap((_, i) => (isFed(c, i) && !c.fixed.includes(i) ? [i] : []));

/** A loss over the first output, L = Σ r · y: its r is random, so that no error in a gradient cancels. */
export function addLoss(g: GraphBuilder, y: Value, name: string): Value {
  const shape = knownShape(y);
  const stream = random(9).fork(name);
  const r = g.initializer("r", float32(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, stream.normal), shape));
  return g.add("ReduceSum", [g.add("Mul", [y, r])], { keepdims: 0 }, "loss");
}
