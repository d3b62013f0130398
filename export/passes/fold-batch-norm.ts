import { type Tensor, tensor } from "../../core/tensor.ts";
import { countUses, type Graph, type Node, type Value } from "../../models/graph/graph.ts";
import { dropUnused, namer } from "./shared.ts";

/** Of a node whose output channels can be scaled: its weight, which axis of it is the output channel, its bias [K] if any. */
interface Linear {
  readonly weight: Value;
  readonly axis: 0 | 1;
  readonly bias: Value | undefined;
}

type Held = ReadonlyMap<Value, Tensor>;

/** How each operator can take in a scale and a shift of its output channels; `undefined` where a node cannot. */
const LINEAR: Readonly<Record<string, (node: Node) => Linear | undefined>> = {
  Conv: ({ inputs: [, weight, bias] }) => weight && { weight, axis: 0, bias },
  Gemm: ({ inputs: [, weight, bias], attributes: { transB, beta } }) =>
    weight && (!bias || (beta === 1 && bias.shape.length === 1)) ? { weight, axis: transB === 1 ? 0 : 1, bias } : undefined,
};

/**
 * Batch normalization after Conv or Gemm becomes part of their weight and bias, computed in float64:
 * s = scale / √(variance + epsilon), w' = s · w, b' = s · (b − mean) + B. Nodes whose output is read elsewhere too stay as they are.
 */
export function foldBatchNorm(graph: Graph): Graph {
  const uses = countUses(graph);
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((value) => [value, node] as const)));
  const initializers = new Map(graph.initializers);
  const replaced = new Map<Node, Node | undefined>();
  const free = namer(graph);
  /** The name of a weight that only this node reads; another for one that stays as it was beside the folded one. */
  const nameFor = (value: Value) => (uses.get(value) === 1 ? value.name : free(`${value.name}/folded`));

  for (const norm of graph.nodes) {
    const [x] = norm.inputs;
    const producer = norm.op === "BatchNormalization" && x && uses.get(x) === 1 ? producers.get(x) : undefined;
    const linear = producer && Object.hasOwn(LINEAR, producer.op) ? LINEAR[producer.op](producer) : undefined;
    if (!producer || !linear) continue;
    const folded = fold(linear, norm, graph.initializers);
    if (!folded) continue;
    const weight = { ...linear.weight, name: nameFor(linear.weight) };
    const bias: Value = {
      name: linear.bias ? nameFor(linear.bias) : free(biasName(linear.weight)),
      dtype: "float32",
      shape: folded.bias.shape,
    };
    initializers.set(weight, folded.weight).set(bias, folded.bias);
    replaced.set(producer, { ...producer, inputs: [producer.inputs[0], weight, bias], outputs: norm.outputs });
    replaced.set(norm, undefined);
  }
  const nodes = graph.nodes.flatMap((node) => (replaced.has(node) ? (replaced.get(node) ?? []) : node));
  return dropUnused({ ...graph, initializers, nodes });
}

const biasName = ({ name }: Value): string => (name.endsWith("weight") ? name.replace(/weight$/, "bias") : `${name}/bias`);

function fold(linear: Linear, norm: Node, held: Held): { readonly weight: Tensor; readonly bias: Tensor } | undefined {
  const weight = held.get(linear.weight);
  const old = linear.bias && held.get(linear.bias);
  const statistics = norm.inputs.slice(1).map((value) => value && held.get(value));
  if (!weight || (linear.bias && !old) || statistics.some((t) => t?.dtype !== "float32") || weight.dtype !== "float32") return undefined;
  const [scale, shift, mean, variance] = statistics.map((t) => t!.data as Float32Array);
  const channels = scale.length;
  if (old && old.data.length !== channels) return undefined;
  const factor = Float64Array.from(scale, (s, k) => s / Math.sqrt(variance[k] + Number(norm.attributes.epsilon)));
  const inner = linear.axis === 0 ? weight.data.length / channels : 1;
  return {
    weight: tensor(
      "float32",
      weight.shape,
      (weight.data as Float32Array).map((w, i) => w * factor[Math.floor(i / inner) % channels]),
    ),
    bias: tensor(
      "float32",
      [channels],
      Float32Array.from(factor, (f, k) => f * (Number(old?.data[k] ?? 0) - mean[k]) + shift[k]),
    ),
  };
}
