import { FivecropError } from "../core/errors.ts";
import { int64, numbersOf, type Tensor } from "../core/tensor.ts";
import type { GraphBuilder } from "./graph/builder.ts";
import type { Graph, Node, Value } from "./graph/graph.ts";
import { neededFor } from "./graph/needed.ts";
import { withBatch } from "./graph/with-batch.ts";
import { graphBuilder, OPS } from "./ops/index.ts";
import { PLAIN_GRADIENTS } from "./plain-gradients.ts";

/** Writes nodes behind those of a graph whose shapes are all known. @param at a value of the open graph, in this one @returns what is wanted of them */
export type KnownWriter = (g: GraphBuilder, forward: readonly Node[], at: (value: Value) => Value) => Value;

/** Two batch sizes, so that what differs between them is what follows the batch. */
const SIZES = [5, 7] as const;

/**
 * Continues a graph of any batch with nodes that can only be written for a known one, such as gradients: they are written for two sizes, and what
 * differs must be the batch in the target of a Reshape or an Expand. The trainer's own gradient operators are written in plain ONNX operators.
 * @returns a builder that goes on from the graph with these nodes, and the wanted value in it
 * @throws FivecropError where a node follows the batch in another way, or has no plain form.
 */
export function continueForAnyBatch(graph: Graph, write: KnownWriter): { readonly builder: GraphBuilder; readonly wanted: Value } {
  const [a, b] = SIZES.map((size) => written(graph, size, write));
  const g = graphBuilder(graph);
  const open = new Map<Value, Value>([...a.open]);
  if (String(a.nodes.map(({ op }) => op)) !== String(b.nodes.map(({ op }) => op)))
    throw new FivecropError(
      `'${graph.name}': its gradient has other nodes for ${SIZES[0]} images than for ${SIZES[1]}, so no file for any number can have it`,
    );
  a.nodes.forEach((node, k) => {
    const inputs = node.inputs.map((value, i) => {
      if (!value) return undefined;
      const other = b.nodes[k].inputs[i] as Value;
      return (
        open.get(value) ?? openConstant(g, { node, i, held: [a.held(value), b.held(other)], first: open.get(node.inputs[0] as Value) })
      );
    });
    const types = inputs.map((value) => value);
    const outputs = g.within(node.name, () => writeOpen(g, { ...node, inputs: types }, b.nodes[k]));
    outputs.forEach((value, i) => {
      open.set(node.outputs[i], value);
    });
  });
  return { builder: g, wanted: open.get(a.wanted) as Value };
}

interface Written {
  /** The nodes that were added and that what is wanted depends on, in execution order. */
  readonly nodes: readonly Node[];
  readonly wanted: Value;
  /** The graph's own values by those of the graph with a known batch. */
  readonly open: ReadonlyMap<Value, Value>;
  readonly held: (value: Value) => Tensor | undefined;
}

function written(graph: Graph, size: number, write: KnownWriter): Written {
  const bound = withBatch(graph, size, OPS);
  const pairs = [
    ...graph.inputs.map((value, i) => [value, bound.inputs[i]] as const),
    ...[...graph.initializers.keys()].map((value) => [value, value] as const),
    ...graph.nodes.flatMap(({ outputs }, k) => outputs.map((value, i) => [value, bound.nodes[k].outputs[i]] as const)),
  ];
  const at = new Map(pairs);
  const g = graphBuilder(bound);
  const wanted = write(g, bound.nodes, (value) => at.get(value) as Value);
  const { nodes, initializers } = g.build(graph.name, [wanted]);
  const needed = neededFor(nodes, [wanted]);
  const added = nodes.slice(bound.nodes.length).filter(({ outputs }) => outputs.some((value) => needed.has(value)));
  return { nodes: added, wanted, open: new Map(pairs.map(([own, known]) => [known, own])), held: (value) => initializers.get(value) };
}

/** A node as it is, or the plain form of one of the trainer's own. */
function writeOpen(g: GraphBuilder, node: Node, other: Node): readonly Value[] {
  if (Object.hasOwn(PLAIN_GRADIENTS, node.op)) return PLAIN_GRADIENTS[node.op](g, node);
  if (OPS[node.op as keyof typeof OPS].sinceOpset === undefined)
    throw new FivecropError(`node '${node.name}' (${node.op}) has no form in plain ONNX operators`);
  if (JSON.stringify(node.attributes) !== JSON.stringify(other.attributes)) throw followsBatch(node);
  return g.addAll(node.op, node.inputs, node.attributes, node.name);
}

interface Constant {
  readonly node: Node;
  /** Which input it is. */
  readonly i: number;
  readonly held: readonly (Tensor | undefined)[];
  /** The node's first input in the open graph. */
  readonly first: Value | undefined;
}

/** A constant for both sizes; a batch in it becomes Reshape's −1 (what is left) or Expand's 1 (the axis as it is). */
function openConstant(g: GraphBuilder, { node, i, held: [a, b], first }: Constant): Value {
  const name = `${node.name}/constant`;
  if (!a || !b) throw followsBatch(node);
  const [one, two] = [numbersOf(a), numbersOf(b)];
  const differing = one.flatMap((n, k) => (n === two[k] ? [] : [k]));
  if (String(a.shape) === String(b.shape) && differing.length === 0)
    return a.shape.length || a.dtype !== "float32" ? g.initializer(name, a) : g.scalar(one[0]);
  const [k] = differing;
  const isTarget = i === 1 && a.dtype === "int64" && differing.length === 1 && one.length === two.length;
  if (!isTarget || one[k] * SIZES[1] !== two[k] * SIZES[0]) throw followsBatch(node);
  if (node.op === "Reshape" && !one.includes(-1)) return g.initializer(name, int64(one.with(k, -1)));
  const isBatchAlready = first?.shape[k - one.length + first.shape.length] === "N";
  if (node.op === "Expand" && isBatchAlready) return g.initializer(name, int64(one.with(k, 1)));
  throw followsBatch(node);
}

const followsBatch = (node: Node): FivecropError =>
  new FivecropError(`node '${node.name}' (${node.op}) depends on the number of images in a way that a file for any number cannot have`);
