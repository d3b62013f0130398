import type { onnx } from "onnx-proto";
import { FivecropError } from "../core/errors.ts";
import { float32, type Tensor } from "../core/tensor.ts";
import type { Attribute } from "../models/graph/graph.ts";
import type { AttributeSpec } from "../models/graph/op.ts";
import { ATTRIBUTE_TYPE_NAMES } from "./data-types.ts";
import { shortestDecimal, toInt64, toTensor } from "./tensor-data.ts";

export type Attributes = Readonly<Record<string, Attribute>>;

const utf8 = new TextDecoder();

/** A node's attributes. @throws FivecropError for a kind that no supported operator has. */
export const attributesOf = (encoded: readonly onnx.IAttributeProto[], where: string): Attributes =>
  Object.fromEntries(encoded.map((a) => [a.name ?? "", toAttribute(a, where)]));

function toAttribute(a: onnx.IAttributeProto, where: string): Attribute {
  const kind = ATTRIBUTE_TYPE_NAMES[a.type ?? 0];
  switch (kind) {
    case "int":
      return Number(a.i);
    case "float":
      return shortestDecimal(a.f ?? 0);
    case "ints":
      return (a.ints ?? []).map(Number);
    case "floats":
      return (a.floats ?? []).map(shortestDecimal);
    case "string":
      return utf8.decode(a.s ?? new Uint8Array());
    case "tensor":
      return toTensor(a.t ?? {}, `${where}: attribute '${a.name}'`);
    default:
      throw new FivecropError(`${where}: its attribute '${a.name}' is of the type ${kind ?? a.type}, which is not supported`);
  }
}

/** @throws FivecropError for an attribute that the operator has not, or of another type. */
export function checkAttributes(
  given: object,
  specs: Readonly<Record<string, AttributeSpec>>,
  encoded: readonly onnx.IAttributeProto[],
  opset: number,
): void {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(specs, name)) throw new FivecropError(`its attribute '${name}' (${value}) is not supported here (opset ${opset})`);
    const kind = ATTRIBUTE_TYPE_NAMES[encoded.find((a) => a.name === name)?.type ?? 0];
    if (kind !== "unstated" && kind !== specs[name].type)
      throw new FivecropError(`its attribute '${name}': expected ${specs[name].type}, found ${kind}`);
  }
}

/** The tensor of a Constant node. @throws FivecropError for texts and sparse tensors. */
export function constantOf({ value, value_float, value_floats, value_int, value_ints }: Attributes, where: string): Tensor {
  if (typeof value === "object" && "dtype" in value) return value;
  if (typeof value_float === "number") return float32([value_float], []);
  if (Array.isArray(value_floats)) return float32(value_floats);
  if (typeof value_int === "number") return toInt64([value_int], []);
  if (Array.isArray(value_ints)) return toInt64(value_ints);
  throw new FivecropError(`${where}: this kind of constant is not supported`);
}
