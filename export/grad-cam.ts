import { FivecropError, messageOf, UsageError } from "../core/errors.ts";
import { int64 } from "../core/tensor.ts";
import { continueForAnyBatch } from "../models/any-batch.ts";
import { differentiate } from "../models/autodiff.ts";
import { logitsOf } from "../models/end-of-graph.ts";
import type { GraphBuilder } from "../models/graph/builder.ts";
import type { Graph, Value } from "../models/graph/graph.ts";
import { printType } from "../models/graph/print.ts";
import { graphBuilder } from "../models/ops/index.ts";
import { firstAlong } from "../models/ops/reduce.ts";
import { indicator } from "../models/ops/shared.ts";
import { findFeatureMap } from "./feature-map.ts";
import { appendMetadata, readMetadata } from "./metadata.ts";
import { parse } from "./parse.ts";
import { serialize } from "./serialize.ts";

/** The second output of an explained file. */
export const HEAT_MAP = "heat_map";

export interface GradCamOptions {
  /** The node whose map of features is looked at, by its name; the last before the pixels are pooled or flattened away where it is left out. */
  readonly layer?: string;
  /** The class that is explained: each image's most probable one, or what is fed: a second input float32 [N, classes], 1 for the class and 0 for the others. */
  readonly target?: "top" | "fed";
  /** What an error's message calls the model. */
  readonly name?: string;
}

export interface GradCam {
  /** The graph with its first output and the heat map, float32 [N, h, w] of [0, 1]. */
  readonly graph: Graph;
  /** The name of the map of features. */
  readonly layer: string;
  /** The second input's name, where the class is fed. */
  readonly target: string | undefined;
}

/**
 * A classifier's graph with Grad-CAM as a second output: which pixels of a map of features A speak for a class c, by the gradient of its logit z_c.
 * α_k = mean over h, w of ∂z_c / ∂A_k; L = max(0, Σ_k α_k · A_k); the heat map is L / max L, and 0 everywhere where L is.
 * Images [N, C, H, W] → (the first output, heat map float32 [N, h, w]).
 * @throws FivecropError where the graph has no such map, or an operator behind it has no gradient. UsageError where no node has the layer's name.
 * @see https://arxiv.org/abs/1610.02391 (Selvaraju et al., 2017)
 */
export function gradCam(graph: Graph, { layer, target = "top", name: file = "the model" }: GradCamOptions = {}): GradCam {
  const score = logitsOf(graph);
  const classes = Number(score.shape[1]);
  if (graph.inputs.length !== 1 || !(classes > 0) || score.shape.slice(2).some((d) => d !== 1))
    throw new FivecropError(
      `${file}: expected one input (the images) and logits [N, classes], found ${graph.inputs.length} and '${score.name}' ${printType(score)}`,
    );
  const map = findFeatureMap(graph, score, { layer, file });
  const g = graphBuilder({ ...graph, outputs: [] });
  const batch = score.shape[0];
  const chosen =
    target === "fed" ? g.input("target", "float32", [batch, classes]) : g.within(HEAT_MAP, () => firstLargest(g, flat(g, score, classes)));
  try {
    const { builder, wanted } = continueForAnyBatch(g.build(graph.name, [graph.outputs[0]]), (known, forward, at) => {
      const z = at(score);
      const seed =
        z.shape.length === 2
          ? at(chosen)
          : known.add("Reshape", [at(chosen), known.initializer("score/shape", int64(z.shape.map(Number)))]);
      const gradient = differentiate(known, forward, z, [at(map)], seed).get(at(map));
      if (!gradient) throw new FivecropError(`the logits do not depend on '${map.name}' by numbers that have a gradient`);
      return gradient;
    });
    const heat = builder.within(HEAT_MAP, () => heatOf(builder, map, wanted));
    return {
      graph: builder.build(graph.name, [graph.outputs[0], heat]),
      layer: map.name,
      target: target === "fed" ? chosen.name : undefined,
    };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new FivecropError(`${file}: Grad-CAM at '${map.name}': ${messageOf(cause)}. To fix: name a later layer.`, { cause });
  }
}

/** L = max(0, Σ α · A) / its maximum. */
function heatOf(g: GraphBuilder, map: Value, gradient: Value): Value {
  const over = (op: string, x: Value, axes: readonly number[], keepdims: number): Value =>
    g.add(op, [x, g.initializer("axes", int64(axes))], { keepdims });
  const weighted = g.add("Mul", [over("ReduceMean", gradient, [2, 3], 1), map]);
  const positive = g.add("Relu", [over("ReduceSum", weighted, [1], 0)]);
  const largest = g.add("Max", [over("ReduceMax", positive, [1, 2], 1), g.scalar(SMALLEST)]);
  return g.add("Div", [positive, largest], {}, HEAT_MAP);
}

/** The smallest normal float32, in place of a maximum of 0. */
const SMALLEST = 1.1754943508222875e-38;

/** [N, classes, 1, …] as [N, classes]. */
const flat = (g: GraphBuilder, score: Value, classes: number): Value =>
  score.shape.length === 2 ? score : g.add("Reshape", [score, g.initializer("classes", int64([-1, classes]))]);

/** 1 for the first largest of each row, 0 for the others. */
function firstLargest(g: GraphBuilder, rows: Value): Value {
  const largest = g.add("ReduceMax", [rows, g.initializer("axes", int64([1]))], { keepdims: 1 });
  return firstAlong(g, indicator(g, g.add("Equal", [rows, largest])), 1);
}

/** The same of a model's file, for any class that is fed. @throws FivecropError, UsageError as gradCam does */
export function explainable(model: Uint8Array, { layer, name = "the model" }: Omit<GradCamOptions, "target">) {
  const explained = gradCam(parse(model, name), { layer, target: "fed", name });
  return { model: serialize(explained.graph), layer: explained.layer, target: explained.target as string };
}

/**
 * A model's file that explains itself: its second output `heat_map` is Grad-CAM for each image's most probable class, for any ONNX runtime to draw.
 * @returns its bytes, with the file's metadata, and the name of the map of features
 * @throws FivecropError, UsageError as gradCam does, and where the file is self-contained or has more than one output.
 * @example await writeFile("explained.onnx", withHeatMap(await readFile("model.onnx")).model)
 */
export function withHeatMap(
  model: Uint8Array,
  { layer, name = "the model" }: Omit<GradCamOptions, "target"> = {},
): { model: Uint8Array; layer: string } {
  const metadata = readMetadata(model);
  if (metadata?.selfContained)
    throw new UsageError(`${name} is self-contained: its pixels are resized in its graph. To fix: give the file that it was made of.`);
  const graph = parse(model, name);
  if (graph.outputs.length !== 1)
    throw new UsageError(
      `${name}: expected one output, to which the heat map is added, found ${graph.outputs.length}: ${graph.outputs.map((value) => value.name).join(", ")}.`,
    );
  const explained = gradCam(graph, { layer, name });
  const bytes = serialize(explained.graph);
  return { model: metadata ? appendMetadata(bytes, metadata) : bytes, layer: explained.layer };
}
