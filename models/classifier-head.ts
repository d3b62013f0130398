import { UsageError } from "../core/errors.ts";
import { nearestNames } from "../core/nearest.ts";
import { logitsOf, producersOf, sourceOf } from "./end-of-graph.ts";
import type { Graph, Node, Value } from "./graph/graph.ts";
import { dropDead } from "./graph/needed.ts";
import { printType } from "./graph/print.ts";
import { type Head, head } from "./layers/head.ts";
import type { Initializer } from "./layers/initializers.ts";
import { rootScope } from "./layers/layer.ts";
import { type WindowAttributes, windowOf } from "./ops/conv.ts";
import { graphBuilder } from "./ops/index.ts";

/** Where a classifier's features end, and what makes classes of them. */
export interface HeadPlace {
  /** [N, D], or a map [N, C, H, W] that is averaged. */
  readonly features: Value;
  /** The last layer that a new head replaces; none where the output itself is the features. */
  readonly classifier?: Node;
}

const spatial = ({ shape }: Value): readonly unknown[] => shape.slice(2);
const isPoint = (value: Value): boolean => value.shape.length === 4 && spatial(value).every((d) => d === 1);

/** The mean over all pixels, however it is written: it commutes with a 1×1 convolution. */
function isGlobalMean({ op, inputs: [x], outputs: [y] }: Node): boolean {
  if (x?.shape.length !== 4) return false;
  if (op === "ReduceMean") return y.shape.length === 2 || isPoint(y);
  return (op === "GlobalAveragePool" || op === "AveragePool") && isPoint(y);
}

function isPointwise({ op, attributes }: Node): boolean {
  return op === "Conv" && attributes.group === 1 && windowOf(attributes as unknown as WindowAttributes).kernel.every((k) => k === 1);
}

/** Of an output's name that its writer calls features. */
const FEATURES = /feature|embed|pool|backbone/i;

/**
 * Where a head goes: in place of the last linear layer, or of the last 1×1 convolution around a global average pool, or behind the output where that is features.
 * What makes an answer of the logits (softmax, log-softmax, sigmoid) goes with them. Behind a pooled 1×1 convolution an activation other than relu makes features.
 * @param graph with one output
 */
export function findHead(graph: Graph): HeadPlace {
  const producerOf = producersOf(graph);
  const held = (value: Value | undefined): boolean => value !== undefined && graph.initializers.has(value);
  const [output] = graph.outputs;
  let [pooled, active] = [false, false];
  for (let node = sourceOf(producerOf, logitsOf(graph)); node; node = sourceOf(producerOf, node.inputs[0]!)) {
    const [x, second] = node.inputs;
    const plain = !pooled && !active;
    if (node.op === "Gemm" && plain && held(second) && x && !node.attributes.transA) return { features: x, classifier: node };
    if (node.op === "Add" && plain) {
      const matMul = producerOf([x, second].find((value) => !held(value)));
      return matMul?.op === "MatMul" && held(matMul.inputs[1]) ? { features: matMul.inputs[0]!, classifier: matMul } : { features: output };
    }
    if (node.op === "MatMul" && plain && held(second)) return { features: x!, classifier: node };
    if (isPointwise(node) && (pooled ? !FEATURES.test(output.name) : plain && isPoint(x!))) return { features: x!, classifier: node };
    if (isGlobalMean(node) && plain) pooled = true;
    else if (node.op === "Relu" && pooled) active = true;
    else break;
  }
  return { features: output };
}

/** The value of a graph that a head is to read. @throws UsageError with the nearest names, where there is none of this name. */
export function headAt(graph: Graph, name: string): HeadPlace {
  const values = graph.nodes.flatMap((node) => node.outputs);
  const features = values.find((value) => value.name === name);
  if (features) return { features };
  const nearest = nearestNames(
    name,
    values.map((value) => value.name),
    3,
  );
  throw new UsageError(
    `features: '${graph.name}' computes no value '${name}'.${nearest.length ? ` The nearest names: ${nearest.join(", ")}.` : ""} To fix: choose a name that inspect shows.`,
  );
}

/**
 * A graph that ends in a new head: features → logits [N, classes]. What only its old end needed is gone.
 * @returns the graph, and the head's own parameters with how they are drawn
 * @throws UsageError where the features are no vector for each image, nor a map that can be averaged.
 */
export function withHead(
  graph: Graph,
  { features }: HeadPlace,
  classes: number,
  wanted: Head,
): { readonly graph: Graph; readonly parameters: ReadonlyMap<Value, Initializer> } {
  const g = graphBuilder(dropDead({ ...graph, outputs: [features] }));
  const taken = [...graph.initializers.keys()].map(({ name }) => name);
  const name = ["head", "new_head", "fivecrop_head"].find((each) => !taken.some((other) => other.startsWith(each))) ?? "head_of_fivecrop";
  const parameters = new Map<Value, Initializer>();
  let vector = features;
  if (features.shape.length === 4) {
    const pooled = isPoint(features) ? features : g.add("GlobalAveragePool", [features], {}, `${name}/pool`);
    vector = g.add("Flatten", [pooled], {}, `${name}/features`);
  }
  if (vector.shape.length !== 2 || vector.shape[0] !== "N" || vector.dtype !== "float32")
    throw new UsageError(
      `features: a head reads a vector for each image, float32[N,D], or a map float32[N,C,H,W], which it averages; '${features.name}' of '${graph.name}' is ${printType(features)}. ` +
        "To fix: name another value of the file (--features NAME; inspect shows them).",
    );
  const logits = head(classes, wanted)(vector, rootScope(g, parameters).child(name));
  return { graph: g.build(graph.name, [logits]), parameters };
}
