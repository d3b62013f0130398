import { concatenate, encodeField, encodeNumber } from "../core/protobuf.ts";
import type { DType, Tensor } from "../core/tensor.ts";
import { ATTRIBUTE_TYPES, DATA_TYPES } from "./data-types.ts";

const utf8 = new TextEncoder();
const text = (number: number, value: string): Uint8Array => encodeField(number, utf8.encode(value));

/** An attribute of a node: whole numbers, or a name. */
export type WrittenAttribute = number | string | readonly number[];

/** Nodes and constants of an ONNX graph, written straight to bytes: for operators and shapes that the project's Graph does not hold. */
export interface OnnxWriter {
  /** Adds a node with one output. @returns the output's name. */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, WrittenAttribute>>, output?: string): string;
  /** Holds a tensor. @returns its name; equal tensors are one. */
  constant(tensor: Tensor): string;
  /** The nodes since the last call: fields of a GraphProto, in order. */
  takeNodes(): Uint8Array;
  /** All constants: fields of a GraphProto. */
  constants(): Uint8Array;
}

/** Field numbers of GraphProto. */
export const GRAPH_FIELDS = { node: 1, initializer: 5, input: 11, output: 12 } as const;

/** @param prefix stands before every name: no other node or value of the graph may have it. @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto */
export function createOnnxWriter(prefix: string): OnnxWriter {
  const counts = new Map<string, number>();
  const held = new Map<string, { readonly name: string; readonly bytes: Uint8Array }>();
  let nodes: Uint8Array[] = [];
  const free = (wanted: string): string => {
    const count = (counts.get(wanted) ?? 0) + 1;
    counts.set(wanted, count);
    return `${prefix}${wanted}${count > 1 ? `_${count}` : ""}`;
  };
  return {
    node(op, inputs, attributes = {}, wanted = undefined) {
      const name = free(op);
      const output = wanted ?? name;
      const fields = [
        ...inputs.map((input) => text(1, input)),
        text(2, output),
        text(3, name),
        text(4, op),
        ...Object.entries(attributes).map(([attribute, value]) => encodeField(5, encodeAttribute(attribute, value))),
      ];
      nodes.push(encodeField(GRAPH_FIELDS.node, concatenate(fields)));
      return output;
    },
    constant(t) {
      const key = `${t.dtype} ${t.shape}: ${t.data}`;
      const found = held.get(key);
      if (found) return found.name;
      const name = free("constant");
      held.set(key, { name, bytes: encodeField(GRAPH_FIELDS.initializer, encodeTensor(name, t)) });
      return name;
    },
    takeNodes() {
      const taken = concatenate(nodes);
      nodes = [];
      return taken;
    },
    constants: () => concatenate(Array.from(held.values(), ({ bytes }) => bytes)),
  };
}

function encodeAttribute(name: string, value: WrittenAttribute): Uint8Array {
  const [kind, fields] =
    typeof value === "string"
      ? (["string", [text(4, value)]] as const)
      : typeof value !== "number"
        ? (["ints", value.map((each) => encodeNumber(8, each))] as const)
        : Number.isInteger(value)
          ? (["int", [encodeNumber(3, value)]] as const)
          : (["float", [encodeFloat(2, value)]] as const);
  return concatenate([text(1, name), ...fields, encodeNumber(20, ATTRIBUTE_TYPES[kind])]);
}

/** A field of four bytes. */
function encodeFloat(number: number, value: number): Uint8Array {
  const bytes = new Uint8Array(5);
  bytes[0] = number * 8 + 5;
  new DataView(bytes.buffer).setFloat32(1, value, true);
  return bytes;
}

function encodeTensor(name: string, { dtype, shape, data }: Tensor): Uint8Array {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return concatenate([...shape.map((d) => encodeNumber(1, d)), encodeNumber(2, DATA_TYPES[dtype]), text(8, name), encodeField(9, raw)]);
}

/** A graph's input or output (ValueInfoProto). @param shape numbers where known, names where the caller chooses. */
export function encodePort(name: string, dtype: DType, shape: readonly (number | string)[]): Uint8Array {
  const dims = shape.map((d) => encodeField(1, typeof d === "number" ? encodeNumber(1, d) : text(2, d)));
  const type = concatenate([encodeNumber(1, DATA_TYPES[dtype]), encodeField(2, concatenate(dims))]);
  return concatenate([text(1, name), encodeField(2, encodeField(1, type))]);
}
