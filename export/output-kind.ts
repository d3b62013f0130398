import { type Field, fieldsOf } from "../core/protobuf.ts";
import { endOf } from "../models/end-of-graph.ts";
import type { OutputKind } from "./metadata.ts";

/** Field numbers of ModelProto, GraphProto, NodeProto and ValueInfoProto. */
const GRAPH = 7;
const [NODE, OUTPUT] = [1, 12];
const [NODE_INPUT, NODE_OUTPUT, OP_TYPE] = [1, 2, 4];
const VALUE_NAME = 1;

interface Producer {
  readonly op: string;
  readonly inputs: readonly string[];
}

/**
 * What a model's first output is, where its last node tells: probabilities after Softmax, log-probabilities after LogSoftmax or Log of
 * Softmax. Nodes behind it that only reshape, cast or rename are passed by, as in `finalOutput`. Needs no protobuf library and copies no weights.
 * @returns `undefined` where the graph ends in anything else: logits, or what only the file's author knows.
 * @throws FivecropError where the bytes are no protocol buffers message.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export function outputKindOf(model: Uint8Array): OutputKind | undefined {
  const parts = children(model, GRAPH).flatMap((graph) => Array.from(fieldsOf(graph), (field) => contentOf(graph, field)));
  const producers = new Map(parts.filter(([number]) => number === NODE).flatMap(([, node]) => producersOf(node)));
  const outputs = parts.filter(([number]) => number === OUTPUT).flatMap(([, value]) => children(value, VALUE_NAME).map(textOf));
  if (outputs.length === 0) return undefined;
  const { activation, output } = endOf((value: string) => producers.get(value), outputs[0]);
  return activation.length === 0 ? undefined : output;
}

const contentOf = (bytes: Uint8Array, { number, content, end }: Field) => [number, bytes.subarray(content, end)] as const;
const children = (bytes: Uint8Array, wanted: number): Uint8Array[] =>
  Array.from(fieldsOf(bytes), (field) => contentOf(bytes, field)).flatMap(([number, content]) => (number === wanted ? [content] : []));
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A node's outputs by name, each with what makes it. */
function producersOf(node: Uint8Array): (readonly [output: string, producer: Producer])[] {
  const [op = ""] = children(node, OP_TYPE).map(textOf);
  const inputs = children(node, NODE_INPUT).map(textOf);
  return children(node, NODE_OUTPUT).map((output) => [textOf(output), { op, inputs }]);
}
