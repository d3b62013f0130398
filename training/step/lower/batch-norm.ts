import { int64 } from "../../../core/tensor.ts";
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
export const batchNormTraining: readonly Formulation[] = [
  innermost(4, ["innermost", "standard", "standard"], (g, node, [x, scale, bias]) => {
    const rows = rowsOf(node.inputs[0]!);
    const values = asRows(g, x, rows);
    const mean = alongRows(g, "ReduceMean", values);
    const squares = alongRows(g, "ReduceSumSquare", centered(g, values, mean));
    const variance = g.add("Mul", [squares, g.scalar(1 / rows.count)]);
    return [normalize(g, x, rows, [scale, bias, mean, variance], node.attributes.epsilon as number, node.name), mean, variance];
  }),
];

/** dx = a · dy + b · (x − mean) + c, with a = scale / σ, b = −a / σ² · mean(dy · (x − mean)), c = −a · mean(dy). */
export const batchNormGradient: readonly Formulation[] = [
  innermost(6, ["innermost", "standard", "standard"], (g, node, [x, dy, scale, mean, variance]) => {
    const rows = rowsOf(node.inputs[0]!);
    const { channels, count } = rows;
    const gradient = asRows(g, dy, rows);
    const deviations = centered(g, asRows(g, x, rows), mean);
    const dbias = alongRows(g, "ReduceSum", gradient);
    const products = alongRows(g, "ReduceSum", g.add("Mul", [gradient, deviations]));
    const stabilized = g.add("Add", [variance, g.scalar(node.attributes.epsilon as number)]);
    const deviation = g.add("Sqrt", [stabilized]);
    const dscale = g.add("Div", [products, deviation]);
    const a = g.add("Div", [scale, deviation]);
    const perElement = g.add("Mul", [a, g.scalar(-1 / count)]);
    const b = g.add("Mul", [perElement, g.add("Div", [products, stabilized])]);
    const c = g.add("Mul", [perElement, dbias]);
    const zero = g.vector(Array<number>(channels).fill(0), "zeros");
    const one = g.vector(Array<number>(channels).fill(1), "ones");
    const direct = asRows(g, normalize(g, dy, rows, [a, c, zero, one], 0), rows);
    const dx = g.add("Add", [direct, g.add("Mul", [deviations, column(g, b)])]);
    return [reshape(g, dx, rows.shape, node.name), dscale, dbias];
  }),
];
