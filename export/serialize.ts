import onnxProto, { type onnx } from "onnx-proto";
import { FivecropError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { type Attribute, type Graph, isOfBatch, type Node, type Value } from "../models/graph/graph.ts";
import type { AttributeSpec, OpDefinition, OpTable } from "../models/graph/op.ts";
import { OPS } from "../models/ops/index.ts";
import { ATTRIBUTE_TYPES, DATA_TYPES } from "./data-types.ts";
import { VERSION } from "./version.ts";

const OLDEST_OPSET = 17;
const TABLE: OpTable = OPS;
const utf8 = new TextEncoder();

/**
 * A graph as the bytes of an ONNX file (ModelProto): standard operators only, at the lowest opset from 17 (or `oldestOpset`) that has them all.
 * Attributes at their default are left out; tensors are raw little-endian data; the batch is the named dimension "N".
 * @throws FivecropError for an operator that has no ONNX form, and for two values of one name.
 * @see https://onnx.ai/onnx/repo-docs/IR.html
 */
export function serialize(graph: Graph, { oldestOpset = OLDEST_OPSET }: { readonly oldestOpset?: number } = {}): Uint8Array {
  needUniqueNames(graph);
  const opset = graph.nodes.reduce((newest, node) => Math.max(newest, definitionOf(node).sinceOpset ?? 0), oldestOpset);
  const bytes: Uint8Array = onnxProto.onnx.ModelProto.encode({
    irVersion: irVersionOf(opset),
    producerName: "fivecrop",
    producerVersion: VERSION,
    opsetImport: [{ domain: "", version: opset }],
    graph: {
      name: graph.name,
      input: graph.inputs.map(toValueInfo),
      output: graph.outputs.map(toValueInfo),
      initializer: Array.from(graph.initializers, ([{ name }, t]) => toTensorProto(t, name)),
      node: graph.nodes.map(toNodeProto),
    },
  }).finish();
  return bytes.byteLength === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer) : Uint8Array.from(bytes);
}

/** The first version of the file format that knew this opset. @see https://onnx.ai/onnx/repo-docs/Versioning.html */
const irVersionOf = (opset: number): number => (opset <= 18 ? 8 : opset <= 20 ? 9 : 10);

function definitionOf({ op, name }: Node): OpDefinition {
  if (!Object.hasOwn(TABLE, op)) throw new FivecropError(`node '${name}': the operator ${op} is not supported`);
  if (TABLE[op].sinceOpset === undefined)
    throw new FivecropError(
      `node '${name}': ${op} is an operator of the trainer's own and has no ONNX form. To fix: lower the graph first.`,
    );
  return TABLE[op];
}

function needUniqueNames(graph: Graph): void {
  const names = new Set<string>();
  for (const { name } of [...graph.inputs, ...graph.initializers.keys(), ...graph.nodes.flatMap((node) => node.outputs)]) {
    if (names.has(name))
      throw new FivecropError(`graph '${graph.name}': two values have the name '${name}', where ONNX tells values by their names`);
    names.add(name);
  }
}

const toValueInfo = ({ name, dtype, shape }: Value): onnx.IValueInfoProto => ({
  name,
  type: {
    tensorType: { elemType: DATA_TYPES[dtype], shape: { dim: shape.map((d) => (isOfBatch(d) ? { dimParam: d } : { dimValue: d })) } },
  },
});

const toTensorProto = ({ dtype, shape, data }: Tensor, name?: string): onnx.ITensorProto => ({
  name,
  dataType: DATA_TYPES[dtype],
  dims: [...shape],
  rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
});

function toNodeProto(node: Node): onnx.INodeProto {
  const specs = definitionOf(node).attributes as Readonly<Record<string, AttributeSpec>>;
  const inputs = node.inputs.map((value) => value?.name ?? "");
  while (inputs.at(-1) === "") inputs.pop();
  return {
    opType: node.op,
    name: node.name,
    input: inputs,
    output: node.outputs.map((value) => value.name),
    attribute: Object.entries(node.attributes).flatMap(([name, value]) =>
      value === undefined || String(value) === String(specs[name].default) ? [] : [toAttributeProto(name, specs[name].type, value)],
    ),
  };
}

function toAttributeProto(name: string, kind: AttributeSpec["type"], value: Attribute): onnx.IAttributeProto {
  const base = { name, type: ATTRIBUTE_TYPES[kind] };
  switch (kind) {
    case "int":
      return { ...base, i: value as number };
    case "float":
      return { ...base, f: value as number };
    case "ints":
      return { ...base, ints: [...(value as readonly number[])] };
    case "string":
      return { ...base, s: utf8.encode(value as string) };
    case "tensor":
      return { ...base, t: toTensorProto(value as Tensor) };
  }
}
