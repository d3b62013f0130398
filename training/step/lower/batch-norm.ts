import { float32, int64 } from "../../../core/tensor.ts";
import type { GraphBuilder } from "../../../models/graph/builder.ts";
import { knownShape, type Node, type Value } from "../../../models/graph/graph.ts";
import { reshape } from "../../../models/ops/shared.ts";
import { asItIs, type Formulation, type Layout, passCost, physicalShape } from "./formulation.ts";

/** A channel is a row: [C, pixels · N], whatever the rank. */
interface Rows {
  readonly channels: number;
  readonly count: number;
  readonly shape: readonly number[];
}

function rowsOf(x: Value): Rows {
  const logical = knownShape(x);
  const shape = physicalShape(logical, "innermost");
  return { channels: logical[1], count: shape.reduce((size, d) => size * d, 1) / logical[1], shape };
}

const asRows = (g: GraphBuilder, value: Value, { channels, count }: Rows): Value => reshape(g, value, [channels, count]);
const column = (g: GraphBuilder, vector: Value): Value => reshape(g, vector, [...knownShape(vector), 1]);
const alongRows = (g: GraphBuilder, op: string, value: Value): Value =>
  g.add(op, [value, g.initializer("axes", int64([1]))], { keepdims: 0 });
const centered = (g: GraphBuilder, x: Value, mean: Value): Value => g.add("Sub", [x, column(g, mean)]);

/** (x − mean) / √(variance + ε) · scale + bias in one pass: the inference operator, with whatever statistics it is given. */
function normalize(g: GraphBuilder, x: Value, rows: Rows, vectors: readonly Value[], epsilon: number, name?: string): Value {
  const y = g.add("BatchNormalization", [reshape(g, x, [1, rows.channels, rows.count]), ...vectors], { epsilon }, name);
  return reshape(g, y, rows.shape);
}

const innermost = (
  passes: number,
  outputs: readonly Layout[],
  emit: (g: GraphBuilder, node: Node, inputs: readonly Value[]) => readonly Value[],
): Formulation => ({
  name: "rows, innermost",
  plan: (node) => ({
    inputs: node.inputs.map((value): Layout => (value!.shape.length > 1 ? "innermost" : "standard")),
    outputs,
    cost: passCost([node.inputs[0], node.outputs[0]], passes),
  }),
  emit: (g, node, inputs) => emit(g, node, inputs as readonly Value[]),
});

/** Inference form: the operator applies as it is, since axis 1 is the channel. */
export const batchNormalization: readonly Formulation[] = [
  asItIs(),
  innermost(1, ["innermost"], (g, node, [x, ...vectors]) => [
    normalize(g, x, rowsOf(node.inputs[0]!), vectors, node.attributes.epsilon as number, node.name),
  ]),
];

/** The variance from the centered values, since E[x²] − E[x]² loses digits where the mean is large. */
export const batchMoments: readonly Formulation[] = [
  innermost(2, ["standard", "standard"], (g, node, [x]) => {
    const rows = rowsOf(node.inputs[0]!);
    const values = asRows(g, x, rows);
    const mean = alongRows(g, "ReduceMean", values);
    const squares = alongRows(g, "ReduceSumSquare", centered(g, values, mean));
    return [mean, g.add("Mul", [squares, g.scalar(1 / rows.count)])];
  }),
];

/** b · (x − mean) + c with b = 2 dvariance / M and c = dmean / M: again the inference operator. */
export const batchMomentsGradient: readonly Formulation[] = [
  innermost(1, ["innermost"], (g, node, [x, mean, dmean, dvariance]) => {
    const rows = rowsOf(node.inputs[0]!);
    const b = g.add("Mul", [dvariance, g.scalar(2 / rows.count)]);
    const c = g.add("Mul", [dmean, g.scalar(1 / rows.count)]);
    const one = g.initializer("one", float32(Array<number>(rows.channels).fill(1)));
    return [normalize(g, x, rows, [b, c, mean, one], 0, node.name)];
  }),
];

export const batchNormGradient: readonly Formulation[] = [
  innermost(4, ["innermost", ...Array<Layout>(4).fill("standard")], (g, node, [x, dy, scale, mean, variance]) => {
    const rows = rowsOf(node.inputs[0]!);
    const gradient = asRows(g, dy, rows);
    const dbias = alongRows(g, "ReduceSum", gradient);
    const products = alongRows(g, "ReduceSum", g.add("Mul", [gradient, centered(g, asRows(g, x, rows), mean)]));
    const stabilized = g.add("Add", [variance, g.scalar(node.attributes.epsilon as number)]);
    const deviation = g.add("Sqrt", [stabilized]);
    const a = g.add("Div", [scale, deviation]);
    const dscale = g.add("Div", [products, deviation]);
    const dmean = g.add("Neg", [g.add("Mul", [a, dbias])]);
    const dvariance = g.add("Mul", [g.add("Mul", [a, g.add("Div", [products, stabilized])]), g.scalar(-0.5)]);
    const dx = g.add("Mul", [gradient, column(g, a)]);
    return [reshape(g, dx, rows.shape, node.name), dscale, dbias, dmean, dvariance];
  }),
];
