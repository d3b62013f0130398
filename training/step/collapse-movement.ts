import { numbersOf, type Tensor } from "../../core/tensor.ts";
import type { Graph, Node, Value } from "../../models/graph/graph.ts";
import { canonicalAxis } from "../../models/graph/shape.ts";
import { sameShape } from "../../models/ops/shared.ts";

/** A node, and what computes its inputs. */
interface Site {
  readonly node: Node;
  readonly producerOf: (value: Value) => Node | undefined;
  readonly constantOf: (value: Value) => Tensor | undefined;
}

/** The node to write; by output, what has the same elements in the same shape already. */
interface Collapsed {
  readonly node: Node;
  readonly same?: readonly Value[];
}

/**
 * One Reshape in place of several in a row, and one Transpose, also where something else reads what lies between; none where nothing moves. No Concat of all
 * parts of a Split, and no Split of a Concat into its inputs. What nothing reads any more is left for `dropDead`; an output of the graph keeps its node.
 */
export function collapseMovement(graph: Graph): Graph {
  const outputs = new Set(graph.outputs);
  const replaced = new Map<Value, Value>();
  const producers = new Map<Value, Node>();
  const nodes = graph.nodes.map((original) => {
    const inputs = original.inputs.map((value) => value && (replaced.get(value) ?? value));
    const { node, same } = collapse({
      node: { ...original, inputs },
      producerOf: (value) => producers.get(value),
      constantOf: (value) => graph.initializers.get(value),
    });
    node.outputs.forEach((value, i) => {
      producers.set(value, node);
      if (same && !outputs.has(value)) replaced.set(value, same[i]);
    });
    return node;
  });
  return { ...graph, nodes };
}

const collapse = (site: Site): Collapsed =>
  (Object.hasOwn(RULES, site.node.op) && RULES[site.node.op as keyof typeof RULES](site)) || { node: site.node };

const RULES = {
  Reshape({ node, producerOf, constantOf }) {
    const [x, target] = node.inputs as Value[];
    const before = producerOf(x);
    const shape = constantOf(target);
    const isWhole = shape !== undefined && !numbersOf(shape).includes(0); // 0 is an axis of what comes in
    const source = before?.op === "Reshape" && isWhole ? before.inputs[0]! : x;
    return { node: { ...node, inputs: [source, target] }, ...(sameShape(source.shape, node.outputs[0].shape) && { same: [source] }) };
  },
  Transpose({ node, producerOf }) {
    const [x] = node.inputs as Value[];
    const before = producerOf(x);
    const twice = before?.op === "Transpose";
    const source = twice ? before.inputs[0]! : x;
    const perm = twice ? permOf(node).map((axis) => permOf(before)[axis]) : permOf(node);
    const still = perm.every((axis, i) => axis === i);
    return { node: { ...node, inputs: [source], attributes: { ...node.attributes, perm } }, ...(still && { same: [source] }) };
  },
  Concat({ node, producerOf }) {
    const split = producerOf(node.inputs[0]!);
    const undoes = split?.op === "Split" && axisOf(split) === axisOf(node) && sameItems(node.inputs, split.outputs);
    return undoes ? { node, same: [split.inputs[0]!] } : undefined;
  },
  Split({ node, producerOf }) {
    const concat = producerOf(node.inputs[0]!);
    if (concat?.op !== "Concat" || axisOf(concat) !== axisOf(node) || concat.inputs.length !== node.outputs.length) return undefined;
    const undoes = node.outputs.every(({ shape }, i) => sameShape(shape, concat.inputs[i]!.shape));
    return undoes ? { node, same: concat.inputs as readonly Value[] } : undefined;
  },
} satisfies Readonly<Record<string, (site: Site) => Collapsed | undefined>>;

const permOf = ({ attributes }: Node): readonly number[] => attributes.perm as readonly number[];
const axisOf = ({ attributes, inputs: [x] }: Node): number => canonicalAxis(attributes.axis as number, x!.shape.length);
const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean => a.length === b.length && a.every((item, i) => item === b[i]);
