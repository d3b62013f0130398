import type { GraphBuilder } from "../../models/graph/builder.ts";
import { countUses, type Graph, knownShape, type Node, type Value } from "../../models/graph/graph.ts";
import { graphBuilder } from "../../models/ops/index.ts";
import { indicator, reshape } from "../../models/ops/shared.ts";

/** Whose moments a moved batch norm normalizes by: those of `source`, which is the norm's former input times `sign`. */
export interface Moved {
  readonly source: Value;
  /** [C], 1 or −1 */
  readonly sign: Value;
}

/**
 * MaxPool(BatchNorm(Conv(x))) → BatchNorm(MaxPool(Conv(x))), where nothing else reads what lies between: a norm is increasing in each channel whose scale is
 * not negative, and maxima commute with increasing functions. Where the scale is negative the convolution's filter changes its sign, and so does the norm's
 * scale. The norm and the sums of its gradient then run over the pooled pixels only; its moments are still those of all pixels.
 * At a scale of exactly 0 every pixel of a window ties, and the gradient goes to the largest input in place of the first.
 */
export function poolBeforeNorm(graph: Graph): { readonly graph: Graph; readonly moved: ReadonlyMap<string, Moved> } {
  const uses = countUses(graph);
  const producer = new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  const once = (value: Value): boolean => uses.get(value) === 1;
  const reader = new Map(
    graph.nodes.flatMap((node) => node.inputs.flatMap((value) => (value && once(value) ? [[value, node] as const] : []))),
  );
  const norms = new Map<Node, Node>(); // convolution → norm
  const ends = new Map<Node, Node>(); // last pool → norm
  for (const norm of graph.nodes) {
    const convolution = norm.op === "BatchNormalization" && once(norm.inputs[0]!) ? producer.get(norm.inputs[0]!) : undefined;
    let last: Node | undefined;
    for (let next = reader.get(norm.outputs[0]); next?.op === "MaxPool"; next = reader.get(next.outputs[0])) last = next;
    if (convolution?.op !== "Conv" || !last) continue;
    norms.set(convolution, norm);
    ends.set(last, norm);
  }
  const g = graphBuilder({ ...graph, nodes: [], outputs: [] });
  const bound = new Map<Value, Value>();
  const at = (value: Value): Value => bound.get(value) ?? value;
  const moved = new Map<string, Moved>();
  for (const node of graph.nodes) {
    const norm = norms.get(node);
    if ([...norms.values()].includes(node)) {
      bound.set(node.outputs[0], at(node.inputs[0]!));
      continue;
    }
    const inputs = node.inputs.map((value) => value && at(value));
    if (norm) {
      const sign = g.within(norm.name, () => signOf(g, at(norm.inputs[1]!)));
      const [source] = g.addAll(node.op, [inputs[0], ...signed(g, inputs.slice(1), sign)], node.attributes, node.name);
      bound.set(node.outputs[0], source);
      moved.set(norm.name, { source, sign });
      continue;
    }
    const outputs = g.addAll(node.op, inputs, node.attributes, node.name);
    const ended = ends.get(node);
    const results = ended ? g.addAll(ended.op, [outputs[0], ...ended.inputs.slice(1)], ended.attributes, ended.name) : outputs;
    results.forEach((value, i) => {
      bound.set(node.outputs[i], value);
    });
  }
  return { graph: g.build(graph.name, graph.outputs.map(at)), moved };
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
