import { float32, int64 } from "../../../core/tensor.ts";
import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { reshape } from "../../../models/ops/shared.ts";
import { asItIs, type Formulation, GPUS, type Layout, only, passCost, physicalShape } from "./formulation.ts";

/** A channel is a row, whatever the rank: [C, pixels · N] where the batch is innermost, else one in each image, [N, C, pixels]. */
interface Rows {
  readonly channels: number;
  /** How many numbers a channel has. */
  readonly count: number;
  readonly rows: readonly number[];
  /** Of `rows`, all but the channels'. */
  readonly axes: readonly number[];
  /** In memory. */
  readonly shape: readonly number[];
}

function rowsOf(x: Value, layout: Layout): Rows {
  const logical = knownShape(x);
  const [batch, channels, ...pixels] = logical;
  const size = pixels.reduce((product, d) => product * d, 1);
  const about = { channels, count: batch * size, shape: physicalShape(logical, layout) };
  return layout === "innermost"
    ? { ...about, rows: [channels, size * batch], axes: [1] }
    : { ...about, rows: [batch, channels, size], axes: [0, 2] };
}

const asRows = (g: GraphBuilder, value: Value, { rows }: Rows): Value => reshape(g, value, rows);
const column = (g: GraphBuilder, vector: Value): Value => reshape(g, vector, [...knownShape(vector), 1]);
const alongRows = (g: GraphBuilder, op: string, value: Value, { axes }: Rows): Value =>
  g.add(op, [value, g.initializer("axes", int64(axes))], { keepdims: 0 });
const centered = (g: GraphBuilder, x: Value, mean: Value): Value => g.add("Sub", [x, column(g, mean)]);

/** (x − mean) / √(variance + ε) · scale + bias in one pass: the inference operator, with whatever statistics it is given. */
function normalize(g: GraphBuilder, x: Value, rows: Rows, vectors: readonly Value[], epsilon: number, name?: string): Value {
  const images = rows.rows.length === 3 ? rows.rows : [1, ...rows.rows];
  const y = g.add("BatchNormalization", [reshape(g, x, images), ...vectors], { epsilon }, name);
  return reshape(g, y, rows.shape);
}

type Emit = (g: GraphBuilder, node: Node, inputs: readonly Value[], rows: Rows) => readonly Value[];

const inRows = (layout: Layout, passes: number, emit: Emit): Formulation => ({
  name: `rows, ${layout}`,
  plan: (node) => ({
    inputs: layoutsOf(node.inputs, layout),
    outputs: layoutsOf(node.outputs, layout),
    cost: passCost([node.inputs[0], node.outputs[0]], passes),
  }),
  emit: (g, node, inputs) => emit(g, node, inputs as readonly Value[], rowsOf(node.inputs[0]!, layout)),
});

/** A vector lies as it always does. */
const layoutsOf = (values: Node["inputs"], layout: Layout): Layout[] =>
  values.map((value) => (value!.shape.length > 1 ? layout : "standard"));

const inBothLayouts = (passes: number, emit: Emit): readonly Formulation[] => [
  inRows("innermost", passes, emit),
  only(GPUS, inRows("standard", passes, emit)),
];

/** Inference form: the operator applies as it is, since axis 1 is the channel. */
export const batchNormalization: readonly Formulation[] = [
  asItIs(),
  inRows("innermost", 1, (g, node, [x, ...vectors], rows) => [
    normalize(g, x, rows, vectors, node.attributes.epsilon as number, node.name),
  ]),
];

/** The variance from the centered values, since E[x²] − E[x]² loses digits where the mean is large. */
export const batchMoments = inBothLayouts(2, (g, _node, [x], rows) => {
  const values = asRows(g, x, rows);
  const mean = alongRows(g, "ReduceMean", values, rows);
  const distances = centered(g, values, mean);
  const squares = alongRows(g, "ReduceSum", g.add("Mul", [distances, distances]), rows); // ReduceSumSquare takes half as long again
  return [mean, g.add("Mul", [squares, g.scalar(1 / rows.count)])];
});

/**
 * b · (x − mean) + c with b = 2 dvariance / M and c = dmean / M: again the inference operator, on x, or on the centered values with a mean of 0. Where the
 * scale's gradient keeps those, x is needed no more: a third of what a network of batch norms keeps for its gradients.
 */
export const batchMomentsGradient = inBothLayouts(1, (g, node, [x, mean, dmean, dvariance], rows) => {
  const b = g.add("Mul", [dvariance, g.scalar(2 / rows.count)]);
  const c = g.add("Mul", [dmean, g.scalar(1 / rows.count)]);
  const constant = (name: string, value: number): Value => g.initializer(name, float32(Array<number>(rows.channels).fill(value)));
  const [from, around] = node.attributes.centered ? [centered(g, asRows(g, x, rows), mean), constant("zero", 0)] : [x, mean];
  return [normalize(g, from, rows, [b, c, around, constant("one", 1)], 0, node.name)];
});

export const batchNormGradient = inBothLayouts(4, (g, node, [x, dy, scale, mean, variance], rows) => {
  const gradient = asRows(g, dy, rows);
  const dbias = alongRows(g, "ReduceSum", gradient, rows);
  const products = alongRows(g, "ReduceSum", g.add("Mul", [gradient, centered(g, asRows(g, x, rows), mean)]), rows);
  const stabilized = g.add("Add", [variance, g.scalar(node.attributes.epsilon as number)]);
  const deviation = g.add("Sqrt", [stabilized]);
  const a = g.add("Div", [scale, deviation]);
  const dscale = g.add("Div", [products, deviation]);
  const dmean = g.add("Neg", [g.add("Mul", [a, dbias])]);
  const dvariance = g.add("Mul", [g.add("Mul", [a, g.add("Div", [products, stabilized])]), g.scalar(-0.5)]);
  const dx = g.add("Mul", [gradient, column(g, a)]);
  return [reshape(g, dx, rows.shape, node.name), dscale, dbias, dmean, dvariance];
});
