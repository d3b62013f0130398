import { FivecropError } from "../core/errors.ts";
import { concatenate, encodeField, fieldsOf } from "../core/protobuf.ts";
import { int64, scalar } from "../core/tensor.ts";
import type { Graph, Value } from "../models/graph/graph.ts";
import { printType } from "../models/graph/print.ts";
import { parseViews } from "../pipeline/views.ts";
import { appendMetadata, checkTemperature, type ModelMetadata } from "./metadata.ts";
import { createOnnxWriter, encodePort, GRAPH_FIELDS, type OnnxWriter } from "./onnx-writer.ts";
import { parse } from "./parse.ts";
import { SELF_CONTAINED } from "./self-contained-ports.ts";
import { serialize } from "./serialize.ts";
import { rename } from "./substitute.ts";
import { normalizeNodes, viewNodes } from "./view-nodes.ts";

export interface SelfContainedOptions {
  /** What the file says of itself, or what is to be said of it: labels, preprocessing, the kind of output. */
  readonly metadata: ModelMetadata;
  /** The views to average over, by name; the metadata's own where it is left out, else `none`. */
  readonly views?: string;
  /** What an error's message calls the model. */
  readonly name?: string;
}

/** The first opset whose Resize takes antialias on 8-bit pixels. */
const OPSET = 19;
/** ModelProto's field of the graph. */
const GRAPH = 7;

/**
 * A classifier that needs no preprocessing code: resize, crops, normalization, softmax and the mean over the views become nodes of its graph.
 * p = mean over v of softmax(network(normalize(crop_v(resize_v(picture)))) / temperature).
 * pictures uint8 [N, H, W, C], RGB or gray, of any size → probabilities float32 [N, classes].
 * @throws FivecropError where the model is none that we can read, has a fixed batch, or does not fit its metadata. UsageError for unknown views.
 * @see https://onnx.ai/onnx/operators/onnx__Resize.html
 * @example await writeFile("whole.onnx", selfContained(model, { metadata: readMetadata(model), views: "five-crop" }))
 */
export function selfContained(model: Uint8Array, { metadata, views, name = "the model" }: SelfContainedOptions): Uint8Array {
  if (metadata.selfContained) throw new FivecropError(`${name} is self-contained already. To fix: give the file that it was made of.`);
  checkTemperature(metadata, name);
  const { preprocess, samples: _, ...card } = metadata;
  const viewsName = views ?? metadata.views ?? "none";
  const chosen = parseViews(viewsName);
  const network = withFreeNames(parse(model, name));
  const [input, output] = portsOf(network, metadata, name);
  const g = createOnnxWriter(freePrefix(network));

  normalizeNodes(g, viewNodes(g, SELF_CONTAINED.input, chosen, preprocess), preprocess, input.name);
  const before = g.takeNodes();
  meanNodes(g, probabilityNodes(g, output.name, metadata, chosen.length), chosen.length, metadata.labels.length);
  const after = g.takeNodes();

  const ports = [
    encodeField(GRAPH_FIELDS.input, encodePort(SELF_CONTAINED.input, "uint8", ["N", "H", "W", preprocess.channels])),
    encodeField(GRAPH_FIELDS.output, encodePort(SELF_CONTAINED.output, "float32", ["N", metadata.labels.length])),
  ];
  const bytes = surround(serialize(network, { oldestOpset: OPSET }), before, [after, g.constants(), ...ports]);
  return appendMetadata(bytes, { ...card, preprocess, views: viewsName, outputKind: "probabilities", selfContained: true });
}

const valuesOf = ({ inputs, initializers, nodes }: Graph): Value[] => [
  ...inputs,
  ...initializers.keys(),
  ...nodes.flatMap((n) => n.outputs),
];

/** What stands before all names that are written around the network, and before none of its own. */
function freePrefix(network: Graph): string {
  const names = [...valuesOf(network), ...network.nodes].map(({ name }) => name);
  const free = (prefix: string): string => (names.some((name) => name.startsWith(prefix)) ? free(`_${prefix}`) : prefix);
  return free("fivecrop/");
}

/** The network with other names where its own are those of the ports. */
function withFreeNames(graph: Graph): Graph {
  const values = valuesOf(graph);
  const names = new Set(values.map((value) => value.name));
  const free = (name: string): string => (names.has(name) ? free(`_${name}`) : name);
  const taken = values.filter(({ name }) => name === SELF_CONTAINED.input || name === SELF_CONTAINED.output);
  return rename(graph, new Map(taken.map((value) => [value, free(`network/${value.name}`)])));
}

function portsOf({ inputs, outputs }: Graph, { preprocess, labels }: ModelMetadata, name: string): readonly [input: Value, output: Value] {
  const [[input], [output]] = [inputs, outputs];
  if (inputs.length !== 1 || outputs.length !== 1)
    throw new FivecropError(`${name}: expected one input (the images) and one output, found ${inputs.length} and ${outputs.length}`);
  const need = (what: string, value: Value, shape: readonly (number | string)[], mend: string): void => {
    if (value.dtype !== "float32" || String(value.shape) !== String(shape))
      throw new FivecropError(`${name}: its ${what} '${value.name}' is ${printType(value)}, expected float32[${shape}]. To fix: ${mend}.`);
  };
  need("input", input, ["N", preprocess.channels, ...preprocess.crop], "export it with a free batch, and give its own preprocessing");
  need("output", output, ["N", labels.length], "give a label for each class, in the order of the output");
  return [input, output];
}

/** float32 [views · N, classes] → probabilities of the same shape. */
function probabilityNodes(g: OnnxWriter, output: string, { outputKind, temperature = 1 }: ModelMetadata, views: number): string {
  const last = views === 1 ? SELF_CONTAINED.output : undefined;
  const cooled = (): string => (temperature === 1 ? output : g.node("Div", [output, g.constant(scalar(temperature))]));
  switch (outputKind) {
    case "logits":
      return g.node("Softmax", [cooled()], { axis: -1 }, last);
    case "log-probabilities":
      return temperature === 1 ? g.node("Exp", [output], {}, last) : g.node("Softmax", [cooled()], { axis: -1 }, last);
    case "probabilities":
      return last ? g.node("Identity", [output], {}, last) : output;
  }
}

/** [views · N, classes] → the mean over the views, [N, classes]. */
function meanNodes(g: OnnxWriter, probabilities: string, views: number, classes: number): void {
  if (views === 1) return;
  const apart = g.node("Reshape", [probabilities, g.constant(int64([views, -1, classes]))]);
  g.node("ReduceMean", [apart, g.constant(int64([0]))], { keepdims: 0 }, SELF_CONTAINED.output);
}

/** The file with nodes before and after its graph's own, and with other ports. */
function surround(model: Uint8Array, before: Uint8Array, after: readonly Uint8Array[]): Uint8Array {
  const parts = Array.from(fieldsOf(model), ({ number, start, content, end }) => {
    if (number !== GRAPH) return model.subarray(start, end);
    const graph = model.subarray(content, end);
    const kept = Array.from(fieldsOf(graph))
      .filter((field) => field.number !== GRAPH_FIELDS.input && field.number !== GRAPH_FIELDS.output)
      .map((field) => graph.subarray(field.start, field.end));
    return encodeField(GRAPH, concatenate([before, ...kept, ...after]));
  });
  return concatenate(parts);
}
