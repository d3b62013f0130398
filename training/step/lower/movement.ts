import { int64, numbersOf } from "../../../core/tensor.ts";
import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { canonicalAxis } from "../../../models/graph/shape.ts";
import { slice } from "../../../models/ops/movement.ts";
import { reshape } from "../../../models/ops/shared.ts";
import {
  all,
  asItIs,
  type ConstantOf,
  type Formulation,
  type Layout,
  NOT_ON_WEBGPU,
  only,
  passCost,
  physicalAxis,
  physicalShape,
} from "./formulation.ts";

/** An operator that leaves the batch axis alone, with its data inputs and its output innermost. */
const innermost = (
  applies: (node: Node) => boolean,
  emit: (g: GraphBuilder, node: Node, inputs: readonly Value[]) => Value,
  dataInputs = 1,
): Formulation => ({
  name: "innermost",
  plan(node) {
    if (node.outputs[0].shape.length < 2 || node.inputs[0]!.shape.length < 2 || !applies(node)) return undefined;
    const inputs = node.inputs.map((_, i): Layout => (i < dataInputs ? "innermost" : "standard"));
    return { inputs, outputs: ["innermost"], cost: passCost([...node.inputs, ...node.outputs]) };
  },
  emit: (g, node, inputs) => [emit(g, node, inputs as readonly Value[])],
});

const target = (node: Node): readonly number[] => physicalShape(knownShape(node.outputs[0]), "innermost");

/** Reshape and Flatten move nothing where they keep the batch axis. */
const reshaped = innermost(
  (node) => node.inputs[0]!.shape[0] === node.outputs[0].shape[0],
  (g, node, [x]) => reshape(g, x, target(node), node.name),
);
const free = (formulation: Formulation): Formulation => ({
  ...formulation,
  plan(node, constantOf) {
    const plan = formulation.plan(node, constantOf);
    return plan && { ...plan, cost: passCost([]) };
  },
});
export const reshaping: readonly Formulation[] = [
  free({ ...asItIs(), emit: (g, node, [x]) => [reshape(g, x!, knownShape(node.outputs[0]), node.name)] }),
  free(reshaped),
];

export const expanding: readonly Formulation[] = [
  asItIs(),
  innermost(
    (node) => node.inputs[0]!.shape.length === node.outputs[0].shape.length && node.inputs[0]!.shape[0] === node.outputs[0].shape[0],
    (g, node, [x]) => g.add("Expand", [x, g.initializer("shape", int64(target(node)))], {}, node.name),
  ),
];

const axisOf = (node: Node): number => canonicalAxis(node.attributes.axis as number, node.inputs[0]!.shape.length);

export const concatenating: readonly Formulation[] = [
  asItIs(),
  innermost(
    (node) => axisOf(node) !== 0,
    (g, node, inputs) =>
      g.add("Concat", inputs, { axis: physicalAxis(axisOf(node), node.outputs[0].shape.length, "innermost") }, node.name),
    Number.POSITIVE_INFINITY,
  ),
];

/** Entries along another axis than the batch; one entry alone leaves an axis less. */
export const gathering: readonly Formulation[] = [
  asItIs(),
  innermost(
    (node) => axisOf(node) !== 0,
    (g, node, [x, indices]) => {
      const axis = physicalAxis(axisOf(node), node.inputs[0]!.shape.length, "innermost");
      return reshape(g, g.add("Gather", [x, indices], { axis }), target(node), node.name);
    },
  ),
];

export const transposing: readonly Formulation[] = [
  asItIs(),
  innermost(
    (node) => node.inputs[0]!.shape.length > 2 && (node.attributes.perm as readonly number[])[0] === 0,
    (g, node, [x]) => {
      const perm = node.attributes.perm as readonly number[];
      return g.add("Transpose", [x], { perm: [...perm, perm.length] }, node.name);
    },
  ),
];

export const splitting: readonly Formulation[] = [
  asItIs(),
  {
    name: "innermost",
    plan(node) {
      if (node.inputs[0]!.shape.length < 2 || axisOf(node) === 0) return undefined;
      return {
        inputs: ["innermost", "standard"],
        outputs: all("innermost", node.outputs),
        cost: passCost([...node.inputs, ...node.outputs]),
      };
    },
    emit: (g, node, inputs) =>
      g.addAll("Split", inputs, { axis: physicalAxis(axisOf(node), node.inputs[0]!.shape.length, "innermost") }, node.name),
  },
];

const constantNumbers = (g: GraphBuilder, value: Value): number[] => numbersOf(g.constantOf(value)!);

/** Slice's and Pad's constants are read while the graph is lowered: they are the logical node's, and the physical graph holds them too. */
const slicingAsItIs: readonly Formulation[] = [
  asItIs(),
  innermost(
    (node) => node.inputs[3] !== undefined && node.inputs[1] !== undefined,
    (g, node, [x, starts, ends, axes, steps]) => {
      const rank = node.outputs[0].shape.length;
      const moved = constantNumbers(g, axes).map((axis) => physicalAxis(canonicalAxis(axis, rank), rank, "innermost"));
      return g.add("Slice", [x, starts, ends, g.initializer("axes", int64(moved)), steps], {}, node.name);
    },
  ),
];

const goesBackInSteps = (node: Node, constantOf: ConstantOf): boolean =>
  node.inputs[4] !== undefined && numbersOf(constantOf(node.inputs[4])!).some((step) => step < -1);

/** Forwards in steps, then backwards one by one: backwards in steps WebGPU takes others. */
const turning: Formulation = {
  name: "forwards, then turned, standard",
  plan: (node, constantOf) =>
    goesBackInSteps(node, constantOf) && !knownShape(node.outputs[0]).includes(0)
      ? { inputs: all("standard", node.inputs), outputs: ["standard"], cost: passCost([...node.inputs, ...node.outputs], 2) }
      : undefined,
  emit(g, node, [x, starts, ends, axes, steps]) {
    const shape = knownShape(node.inputs[0]!);
    const [from, to, by] = [starts, ends, steps].map((value) => constantNumbers(g, value!));
    const along = axes ? constantNumbers(g, axes).map((axis) => canonicalAxis(axis, shape.length)) : [...shape.keys()];
    const sliced = along.reduce((value, axis, i) => {
      const count = knownShape(node.outputs[0])[axis];
      if (by[i] >= -1) return slice(g, value, axis, from[i], to[i], by[i]);
      const first = Math.min(from[i] < 0 ? from[i] + shape[axis] : from[i], shape[axis] - 1);
      const forwards = slice(g, value, axis, first + (count - 1) * by[i], first + 1, -by[i]);
      return slice(g, forwards, axis, count - 1, -count - 1, -1);
    }, x!);
    return [reshape(g, sliced, knownShape(node.outputs[0]), node.name)];
  },
};

export const slicing: readonly Formulation[] = [
  ...slicingAsItIs.map((formulation) => only(NOT_ON_WEBGPU, formulation, goesBackInSteps)),
  only(["webgpu"], turning),
];

export const padding: readonly Formulation[] = [
  asItIs(),
  innermost(
    () => true,
    (g, node, [x, pads, value]) => {
      const rank = node.outputs[0].shape.length;
      const numbers = constantNumbers(g, pads);
      const physicalRank = x.shape.length;
      const moved = Array<number>(2 * physicalRank).fill(0);
      for (let axis = 0; axis < rank; axis++) {
        const to = physicalAxis(axis, rank, "innermost");
        moved[to] = numbers[axis];
        moved[to + physicalRank] = numbers[axis + rank];
      }
      return g.add("Pad", [x, g.initializer("pads", int64(moved)), value], {}, node.name);
    },
  ),
];
