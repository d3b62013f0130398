import type { Device } from "../../../core/session.ts";
import type { Tensor } from "../../../core/tensor.ts";
import type { GraphBuilder } from "../../../models/graph/builder.ts";
import type { Node, Value } from "../../../models/graph/graph.ts";
import { knownShape } from "../../../models/graph/graph.ts";
import { indicator, reshape } from "../../../models/ops/shared.ts";

/**
 * How a value lies in memory. `standard` is its logical shape, [N, C, H, W]. `innermost` has the batch last: [N, D] is [D, N], and a value with more
 * axes is [1, C, H, W, N], so that the batch is one more spatial axis, on which every kernel is 1, and a whole batch is one image.
 */
export type Layout = "standard" | "innermost";

/** What a formulation wants and gives for one node, and its cost in nanoseconds of one core pair (measured roughly; only ratios matter). */
export interface Plan {
  /** By input; `standard` for omitted ones. */
  readonly inputs: readonly Layout[];
  readonly outputs: readonly Layout[];
  readonly cost: number;
  /** Where the runtime computes what it emits; everywhere where it is left out. */
  readonly devices?: readonly Device[];
}

/** Where a formulation is for what the processor does better by another one. */
export const GPUS: readonly Device[] = ["webgpu", "cuda"];
/** Where float32 is multiplied as float32. */
export const PROCESSORS: readonly Device[] = ["cpu", "wasm"];
/** Where WebGPU's kernels lack something, or are wrong. */
export const NOT_ON_WEBGPU: readonly Device[] = ["cpu", "wasm", "cuda"];

/** The tensor of a value that the graph holds. */
export type ConstantOf = (value: Value) => Tensor | undefined;

/** One way to compute an operator with plain ONNX operators. */
export interface Formulation {
  readonly name: string;
  /** @returns undefined where it cannot do this node. */
  plan(node: Node, constantOf: ConstantOf): Plan | undefined;
  /** Emits the nodes. Inputs come in the planned layouts; `node` has the logical shapes. @returns the outputs in the planned layouts. */
  emit(g: GraphBuilder, node: Node, inputs: readonly (Value | undefined)[]): readonly Value[];
}

/** One operator or one read-and-write pass costs about this much for each element, and for being there at all. */
const PER_ELEMENT = 0.35;
const PER_NODE = 3000;

export const sizeOfValue = (value: Value): number => knownShape(value).reduce((size, d) => size * d, 1);

/** The cost of `passes` elementwise passes over these values. */
export const passCost = (values: readonly (Value | undefined)[], passes = 1): number =>
  passes * (PER_NODE + values.reduce((sum, value) => sum + (value ? sizeOfValue(value) : 0), 0) * PER_ELEMENT);

/** The cost of a transpose between layouts; none where moving the batch axis moves nothing. */
export function conversionCost(value: Value): number {
  const [first, ...rest] = knownShape(value);
  const still = rest.length === 0 || first === 1 || rest.every((d) => d === 1);
  return still ? 0 : 2 * passCost([value]);
}

/** The shape in memory of a value with this logical shape. */
export function physicalShape(shape: readonly number[], layout: Layout): readonly number[] {
  if (layout === "standard" || shape.length < 2) return shape;
  const [batch, ...rest] = shape;
  return rest.length === 1 ? [rest[0], batch] : [1, ...rest, batch];
}

/** The same axis of the logical value in the physical one. Only axes behind the batch keep their place. */
export function physicalAxis(axis: number, rank: number, layout: Layout): number {
  if (layout === "standard") return axis;
  if (rank === 2) return 1 - axis;
  return axis === 0 ? rank : axis;
}

/** Moves a value of this logical shape from one layout to the other: one transpose of a matrix. */
export function convert(g: GraphBuilder, value: Value, shape: readonly number[], to: Layout): Value {
  if (shape.length < 2) return value;
  const batch = shape[0];
  const rest = shape.slice(1).reduce((size, d) => size * d, 1);
  const target = physicalShape(shape, to);
  const name = `${value.name}/${to}`;
  if (batch === 1 || rest === 1) return reshape(g, value, target, name);
  if (value.dtype === "bool") {
    const numbers = convert(g, indicator(g, value), shape, to); // WebGPU transposes no bools
    return g.add("Cast", [numbers], { to: BOOL }, name);
  }
  const matrix = reshape(g, value, to === "innermost" ? [batch, rest] : [rest, batch], `${name}/matrix`);
  return reshape(g, g.add("Transpose", [matrix], { perm: [1, 0] }, `${name}/transpose`), target, name);
}

/** ONNX's number of bool (TensorProto.DataType.BOOL). */
const BOOL = 9;

/** Reads a standard operand so that it broadcasts against an innermost value with `rank` logical axes. */
export function alignInnermost(g: GraphBuilder, value: Value, shape: readonly number[], rank: number): Value {
  if (shape.length === 0) return value;
  return reshape(g, value, physicalShape([...Array<number>(rank - shape.length).fill(1), ...shape], "innermost"));
}

/** A formulation that is for some devices alone: every node, or those that `concerned` says. */
export const only = (
  devices: readonly Device[],
  formulation: Formulation,
  concerned: (node: Node, constantOf: ConstantOf) => boolean = () => true,
): Formulation => ({
  ...formulation,
  plan(node, constantOf) {
    const plan = formulation.plan(node, constantOf);
    return plan && concerned(node, constantOf) ? { ...plan, devices } : plan;
  },
});

export const all = (layout: Layout, values: readonly unknown[]): Layout[] => values.map(() => layout);

/** The node as it is: every value standard, the operator itself. */
export const asItIs = (cost: (node: Node) => number = (node) => passCost([...node.inputs, ...node.outputs])): Formulation => ({
  name: "standard",
  plan: (node) => ({ inputs: all("standard", node.inputs), outputs: all("standard", node.outputs), cost: cost(node) }),
  emit: (g, node, inputs) => g.addAll(node.op, inputs, node.attributes, node.name),
});
