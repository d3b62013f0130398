import type { OutputKind } from "./metadata.ts";
import { type Field, fieldsOf } from "./protobuf.ts";

/** Field numbers of ModelProto, GraphProto, NodeProto and ValueInfoProto. */
const GRAPH = 7;
const [NODE, OUTPUT] = [1, 12];
const [NODE_INPUT, NODE_OUTPUT, OP_TYPE] = [1, 2, 4];
const VALUE_NAME = 1;

/** They pass every number on as it is. */
const PASSES_ON = new Set(["Identity", "Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze"]);

interface Producer {
  readonly op: string;
  readonly input: string;
}

/**
 * What a model's first output is, where its last node tells: probabilities after Softmax, log-probabilities after LogSoftmax or Log of
 * Softmax. Nodes behind it that only reshape, cast or rename are passed by. Needs no protobuf library and copies no weights.
 * @returns `undefined` where the graph ends in anything else: logits, or what only the file's author knows.
 * @throws FivecropError where the bytes are no protocol buffers message.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export function outputKindOf(model: Uint8Array): OutputKind | undefined {
  const parts = children(model, GRAPH).flatMap((graph) => Array.from(fieldsOf(graph), (field) => contentOf(graph, field)));
  const producers = new Map(parts.filter(([number]) => number === NODE).flatMap(([, node]) => producersOf(node)));
  const outputs = parts.filter(([number]) => number === OUTPUT).flatMap(([, value]) => children(value, VALUE_NAME).map(textOf));
  if (outputs.length === 0) return undefined;
  const last = follow(producers, outputs[0]);
  if (last?.op === "Softmax") return "probabilities";
  const isLog = last?.op === "LogSoftmax" || (last?.op === "Log" && follow(producers, last.input)?.op === "Softmax");
  return isLog ? "log-probabilities" : undefined;
}

const contentOf = (bytes: Uint8Array, { number, content, end }: Field) => [number, bytes.subarray(content, end)] as const;
const children = (bytes: Uint8Array, wanted: number): Uint8Array[] =>
  Array.from(fieldsOf(bytes), (field) => contentOf(bytes, field)).flatMap(([number, content]) => (number === wanted ? [content] : []));
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A node's outputs by name, each with what makes it. */
function producersOf(node: Uint8Array): (readonly [output: string, producer: Producer])[] {
  const [op = ""] = children(node, OP_TYPE).map(textOf);
  const [input = ""] = children(node, NODE_INPUT).map(textOf);
  return children(node, NODE_OUTPUT).map((output) => [textOf(output), { op, input }]);
}

/** What makes a value's numbers. */
function follow(producers: ReadonlyMap<string, Producer>, value: string): Producer | undefined {
  const seen = new Set<string>(); // a damaged file may go in circles
  for (let name = value; !seen.has(name); ) {
    seen.add(name);
    const producer = producers.get(name);
    if (!producer || !PASSES_ON.has(producer.op)) return producer;
    name = producer.input;
  }
  return undefined;
}
