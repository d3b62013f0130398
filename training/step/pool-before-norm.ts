import type { GraphBuilder } from "../../models/graph/builder.ts";
import { countUses, type Graph, knownShape, type Node, type Value } from "../../models/graph/graph.ts";
import { rewriteNodes } from "../../models/graph/rewrite.ts";
import { OPS } from "../../models/ops/index.ts";
import { indicator, reshape } from "../../models/ops/shared.ts";

/** Whose moments a moved batch norm normalizes by: those of `source`, which is the norm's former input times `sign`. */
export interface Moved {
  readonly source: Value;
  /** [C], 1 or −1 */
  readonly sign: Value;
}

/**
 * MaxPool(BatchNorm(Conv(x))) → BatchNorm(MaxPool(Conv(x))), where nothing else reads what lies between: a norm is increasing in each channel whose scale is
 * positive, and maxima commute with increasing functions. Where the scale is negative the convolution's filter changes its sign, and so does the norm's
 * scale. The norm and the sums of its gradient then run over the pooled pixels only; its moments are still those of all pixels.
 * Where a scale is so small that the norm rounds different pixels to one number, or 0, the gradient goes to the largest input, and not to the first of equal
 * outputs: a norm whose scale may start at 0 stays where it is.
 * @param stays whether a norm is left where it is: one whose scale may be 0 before the first step, or that is frozen
 * @returns the graph, and what was moved, by the norm's output there.
 */
export function poolBeforeNorm(
  graph: Graph,
  stays: (norm: Node) => boolean,
): { readonly graph: Graph; readonly moved: ReadonlyMap<Value, Moved> } {
  const norms = new Map<Node, Node>(); // convolution → norm
  const ends = new Map<Node, Node>(); // last pool → norm
  const uses = countUses(graph);
  const once = (value: Value): boolean => uses.get(value) === 1;
  const producer = new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  const reader = new Map(
    graph.nodes.flatMap((node) => node.inputs.flatMap((value) => (value && once(value) ? [[value, node] as const] : []))),
  );
  for (const norm of graph.nodes) {
    if (norm.op !== "BatchNormalization" || !once(norm.inputs[0]!) || stays(norm)) continue;
    const convolution = producer.get(norm.inputs[0]!);
    let last: Node | undefined;
    for (let next = reader.get(norm.outputs[0]); next?.op === "MaxPool"; next = reader.get(next.outputs[0])) last = next;
    if (convolution?.op !== "Conv" || !last) continue;
    norms.set(convolution, norm);
    ends.set(last, norm);
  }
  const gone = new Set(norms.values());
  const sources = new Map<Node, Moved>();
  const moved = new Map<Value, Moved>();
  const rewritten = rewriteNodes(graph, OPS, (g, node, original) => {
    if (gone.has(original)) return [node.inputs[0]!];
    const norm = norms.get(original);
    if (norm) {
      const [x, ...weights] = node.inputs;
      const sign = g.within(norm.name, () => signOf(g, norm.inputs[1]!));
      const filters = g.within(node.name, () => signed(g, weights, sign));
      const source = g.add(node.op, [x, ...filters], node.attributes, node.name);
      sources.set(norm, { source, sign });
      return [source];
    }
    const ended = ends.get(original);
    if (!ended) return undefined;
    const pooled = g.add(node.op, node.inputs, node.attributes, node.name);
    const y = g.add(ended.op, [pooled, ...ended.inputs.slice(1)], ended.attributes, ended.name);
    moved.set(y, sources.get(ended)!);
    return [y];
  });
  return { graph: rewritten.graph, moved };
}

/** 1 where the scale is not negative, else −1; it has no gradient. */
const signOf = (g: GraphBuilder, scale: Value): Value =>
  g.add("Sub", [g.add("Mul", [indicator(g, g.add("GreaterOrEqual", [scale, g.scalar(0)])), g.scalar(2)]), g.scalar(1)]);

/** A convolution's weight [K, …] and bias [K], filter k times its sign. */
const signed = (g: GraphBuilder, [weight, bias]: readonly (Value | undefined)[], sign: Value): (Value | undefined)[] => [
  g.add("Mul", [
    weight,
    reshape(g, sign, [
      ...knownShape(sign),
      ...knownShape(weight!)
        .slice(1)
        .map(() => 1),
    ]),
  ]),
  bias && g.add("Mul", [bias, sign]),
];
