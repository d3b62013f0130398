import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { type LrnAttributes, lrnFactor } from "../../../models/ops/normalization.ts";
import { expand, indicator, sameShape } from "../../../models/ops/shared.ts";
import { alignInnermost, all, type Formulation, type Layout, NOT_ON_WEBGPU, only, passCost } from "./formulation.ts";

type Emit = (g: GraphBuilder, node: Node, inputs: readonly (Value | undefined)[]) => readonly Value[];

const itself: Emit = (g, node, inputs) => g.addAll(node.op, inputs, node.attributes, node.name);

/** A function of each element, in both layouts. An operand of lower rank has no batch axis: it stays standard and gets a trailing axis. */
const inBothLayouts = (emit: Emit, passes: number): readonly Formulation[] => {
  const cost = (node: Node) => passCost([...node.inputs, ...node.outputs], passes);
  return [
    { name: "standard", plan: (node) => ({ inputs: all("standard", node.inputs), outputs: ["standard"], cost: cost(node) }), emit },
    {
      name: "innermost",
      plan(node) {
        const rank = node.outputs[0].shape.length;
        if (rank < 2) return undefined;
        const inputs = node.inputs.map((value): Layout => (value?.shape.length === rank ? "innermost" : "standard"));
        return { inputs, outputs: ["innermost"], cost: cost(node) };
      },
      emit(g, node, inputs) {
        const rank = node.outputs[0].shape.length;
        const aligned = inputs.map((value, i) => {
          const logical = node.inputs[i];
          return value && logical && logical.shape.length < rank ? alignInnermost(g, value, knownShape(logical), rank) : value;
        });
        return emit(g, node, aligned);
      },
    },
  ];
};

export const elementwise = inBothLayouts(itself, 1);

/** WebGPU has no numbers of 64 bits. */
export const casting: readonly Formulation[] = elementwise.map((formulation) =>
  only(NOT_ON_WEBGPU, formulation, ({ outputs: [{ dtype }] }) => dtype === "float64" || dtype === "int64"),
);

/** Both operands repeated to the output's shape: WebGPU's Pow fails where each is. */
const repeated: Formulation = {
  name: "both repeated first, standard",
  plan: (node) => ({ inputs: all("standard", node.inputs), outputs: ["standard"], cost: passCost([...node.inputs, ...node.outputs], 3) }),
  emit: (g, node, inputs) => [
    g.add(
      node.op,
      inputs.map((value) => expand(g, value!, knownShape(node.outputs[0]))),
      {},
      node.name,
    ),
  ],
};
const bothBroadcast = (node: Node): boolean => node.inputs.every((value) => !sameShape(value!.shape, node.outputs[0].shape));
export const power: readonly Formulation[] = [
  ...elementwise.map((formulation) => only(NOT_ON_WEBGPU, formulation, bothBroadcast)),
  only(["webgpu"], repeated),
];

/** dy · [y > 0] */
export const reluGradient = inBothLayouts(
  (g, node, [y, dy]) => [g.add("Mul", [dy, indicator(g, g.add("Greater", [y, g.scalar(0)]))], {}, node.name)],
  2,
);

/** dy · y · (1 − y) */
export const sigmoidGradient = inBothLayouts(
  (g, node, [y, dy]) => [g.add("Mul", [dy, g.add("Mul", [y, g.add("Sub", [g.scalar(1), y!])])], {}, node.name)],
  3,
);

/** Identity at inference, and as it is fed in training. */
export const identity = inBothLayouts((_g, _node, [x]) => [x!], 0);

/** Any number of inputs as a chain of two each. */
export const sum = inBothLayouts((g, _node, inputs) => [inputs.reduce((all, x) => g.add("Add", [all, x]))!], 1);

/** From its formula, which its gradient shares: channels are axis 1 in both layouts, and what lies behind them does not matter. */
export const lrn = inBothLayouts(
  (g, node, [x]) => [g.add("Mul", [x, lrnFactor(g, x!, node.attributes as unknown as LrnAttributes)], {}, node.name)],
  6,
);
