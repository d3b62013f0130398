import { int64, sizeOf, tensor } from "../../core/tensor.ts";
import { type Graph, knownShape, type Node, type Value } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";

/** What reads operands of other ranks by repeating them. */
const BROADCASTING: ReadonlySet<string> = new Set([
  "Add",
  "Div",
  "Equal",
  "Greater",
  "GreaterOrEqual",
  "Max",
  "Min",
  "Mul",
  "Pow",
  "Sub",
  "Where",
]);

/**
 * Numbers that are combined with a value whose last axis has one place get its rank: [] becomes [1, 1, 1, 1]. ONNX Runtime's processor would else go through that
 * value number by number, in sixty times the time: a kernel of 1×1 and its update, or an innermost batch of one image.
 */
export function giveWholeRank(graph: Graph): Graph {
  const g = graphBuilder(graph);
  const whole = (value: Value, rank: number): Value => {
    const ones = Array<number>(rank).fill(1);
    const constant = g.constantOf(value);
    if (constant) return g.initializer(value.name, tensor(constant.dtype, ones, constant.data));
    return g.add("Reshape", [value, g.initializer("shape", int64(ones))], {}, `${value.name}/reshape`);
  };
  const nodes = graph.nodes.map((node): Node => {
    const { shape } = node.outputs[0];
    if (!BROADCASTING.has(node.op) || shape.at(-1) !== 1) return node;
    const isNumber = (value: Value): boolean => value.shape.length < shape.length && sizeOf(knownShape(value)) === 1;
    return { ...node, inputs: node.inputs.map((value) => (value && isNumber(value) ? whole(value, shape.length) : value)) };
  });
  const built = g.build(graph.name, graph.outputs);
  const reshapes = new Map(built.nodes.slice(graph.nodes.length).map((node) => [node.outputs[0], node]));
  const before = ({ inputs }: Node): Node[] => inputs.flatMap((value) => (value && reshapes.get(value)) ?? []);
  return { ...built, nodes: nodes.flatMap((node) => [...before(node), node]) };
}
