import { type DType, numbersOf, type Tensor } from "../../core/tensor.ts";
import type { Attribute, Attributes, Dimension, Graph, Node, Value } from "./graph.ts";
import type { OpTable } from "./op.ts";

export const printType = (value: { readonly dtype: DType; readonly shape: readonly Dimension[] }): string =>
  `${value.dtype}[${value.shape.join(",")}]`;

const isTensor = (attribute: Attribute): attribute is Tensor => typeof attribute === "object" && "dtype" in attribute;

function printAttribute(attribute: Attribute): string {
  if (isTensor(attribute)) return printTensor(attribute);
  return Array.isArray(attribute) ? `[${attribute.join(",")}]` : String(attribute);
}

function printTensor(t: Tensor): string {
  const numbers = t.data.length <= 8 ? numbersOf(t).map((n) => String(+n.toPrecision(7))) : [`${t.data.length} elements`];
  return `${t.dtype}[${t.shape.join(",")}](${numbers.join(",")})`;
}

function printAttributes(attributes: Attributes, defaults: OpTable[string] | undefined): string {
  const shown = Object.entries(attributes).flatMap(([name, value]) => {
    const standard = defaults?.attributes[name]?.default;
    return value === undefined || String(value) === String(standard) ? [] : [`${name}=${printAttribute(value)}`];
  });
  return shown.length ? ` {${shown.join(", ")}}` : "";
}

/** One node as one line: `conv1 = Conv(images, conv1.weight) {pads=[1,1,1,1]} → float32[N,16,28,28]`. Attributes at their default are not shown. */
export function printNode(node: Node, ops: OpTable = {}): string {
  const inputs = node.inputs.map((value) => value?.name ?? "").join(", ");
  const outputs = node.outputs.map((value) => value.name).join(", ");
  return `${outputs} = ${node.op}(${inputs})${printAttributes(node.attributes, ops[node.op])} → ${node.outputs.map(printType).join(", ")}`;
}

/** The whole graph as text, a line a value or node: inputs, initializers (values of up to eight numbers shown), nodes, outputs. */
export function print(graph: Graph, ops: OpTable = {}): string {
  const line = (value: Value) => `${value.name}: ${printType(value)}`;
  return [
    `graph ${graph.name}`,
    ...graph.inputs.map((value) => `  input ${line(value)}`),
    ...[...graph.initializers].map(
      ([value, t]) => `  initializer ${value.name}: ${t.data.length <= 8 ? printTensor(t) : printType(value)}`,
    ),
    ...graph.nodes.map((node) => `  ${printNode(node, ops)}`),
    ...graph.outputs.map((value) => `  output ${line(value)}`),
    "",
  ].join("\n");
}
