import onnxProto, { type onnx } from "onnx-proto";
import { FivecropError, messageOf } from "../core/errors.ts";
import { float32, type Tensor } from "../core/tensor.ts";
import type { GraphBuilder } from "../models/graph/builder.ts";
import type { Attribute, Dimension, Graph, Value } from "../models/graph/graph.ts";
import type { AttributeSpec, OpTable } from "../models/graph/op.ts";
import { printType } from "../models/graph/print.ts";
import { graphBuilder, OPS } from "../models/ops/index.ts";
import { ATTRIBUTE_TYPE_NAMES, dtypeOf } from "./data-types.ts";
import { rename } from "./substitute.ts";
import { shortestDecimal, toInt64, toTensor } from "./tensor-data.ts";
import { upgrade } from "./upgrade.ts";

const TABLE: OpTable = OPS;
const utf8 = new TextDecoder();

/**
 * The graph of an ONNX file. Values keep their names, nodes theirs; defaults are filled in and every shape is inferred again.
 * `Constant` nodes become initializers. The first dimension of an input, where it is symbolic, is the batch "N".
 * @param file what an error's message calls the bytes.
 * @throws FivecropError where the bytes are no ONNX model, or hold something that is not supported: named, with its node.
 */
export function parse(bytes: Uint8Array, file = "the model"): Graph {
  const { graph, opset } = decode(bytes, file);
  const g = graphBuilder();
  const symbols = createSymbols(file);
  addInputs(g, symbols, graph, file);
  for (const { name, tensor } of heldTensors(graph, file)) symbols.define(name, g.initializer(name, tensor));
  for (const node of graph.node ?? []) addNode(g, symbols, node, opset, file);
  const outputs = (graph.output ?? []).map((output) => {
    const value = symbols.find(output.name ?? "", "the graph's output");
    checkOutput(value, toPort(output, `${file}: output '${output.name}'`), file);
    return value;
  });
  return rename(g.build(graph.name || "graph", outputs), symbols.names);
}

/** The values by the file's names. The builder may have given others while the graph grew: `names` sets that right. */
interface Symbols {
  readonly names: ReadonlyMap<Value, string>;
  define(name: string, value: Value): void;
  find(name: string, reader: string): Value;
}

function createSymbols(file: string): Symbols {
  const values = new Map<string, Value>();
  const names = new Map<Value, string>();
  return {
    names,
    define(name, value) {
      if (values.has(name)) throw new FivecropError(`${file}: two values have the name '${name}'`);
      values.set(name, value);
      names.set(value, name);
    },
    find(name, reader) {
      const value = values.get(name);
      if (!value) throw new FivecropError(`${file}: ${reader} reads '${name}', which nothing before it computes`);
      return value;
    },
  };
}

const heldTensors = ({ initializer }: onnx.IGraphProto, file: string) =>
  (initializer ?? []).map((held) => ({ name: held.name ?? "", tensor: toTensor(held, `${file}: initializer '${held.name}'`) }));

/** Old files list their initializers among the inputs: those are not fed. */
function addInputs(g: GraphBuilder, symbols: Symbols, graph: onnx.IGraphProto, file: string): void {
  const held = new Set((graph.initializer ?? []).map(({ name }) => name));
  const fed = (graph.input ?? []).filter(({ name }) => !held.has(name)).map((input) => toPort(input, `${file}: input '${input.name}'`));
  const batch = fed.find(({ shape }) => shape.length > 0 && typeof shape[0] !== "number")?.shape[0];
  for (const port of fed) symbols.define(port.name, g.input(port.name, port.dtype, batched(port, batch, file)));
}

function addNode(g: GraphBuilder, symbols: Symbols, node: onnx.INodeProto, opset: number, file: string): void {
  const { opType, domain, attribute, input = [], output } = node;
  const op = opType ?? "";
  const outputs = output ?? [];
  const name = node.name || outputs[0] || op;
  const where = `node '${name}' (${domain ? `${domain}.` : ""}${op})`;
  const attributes = Object.fromEntries((attribute ?? []).map((a) => [a.name ?? "", toAttribute(a, `${file}: ${where}`)]));
  if (op === "Constant" && isStandard(domain)) {
    symbols.define(outputs[0], g.initializer(outputs[0], constantOf(attributes, `${file}: ${where}`)));
    return;
  }
  const specs = specsOf(op, domain, `${file}: ${where}`, opset);
  const inputs = (input ?? []).map((each) => (each ? symbols.find(each, where) : undefined));
  let results: readonly Value[];
  try {
    const upgraded = upgrade(op, { opset, attributes, inputs, outputs: outputs.filter(Boolean).length });
    checkAttributes(upgraded, specs, attribute ?? [], opset);
    results = g.addAll(op, inputs, upgraded, name);
  } catch (cause) {
    const message = messageOf(cause);
    throw new FivecropError(`${file}: ${message.startsWith("node ") ? message : `${where}: ${message}`}`, { cause });
  }
  results.forEach((value, i) => {
    if (outputs[i]) symbols.define(outputs[i], value);
  });
}

function decode(bytes: Uint8Array, file: string): { readonly graph: onnx.IGraphProto; readonly opset: number } {
  let model: onnx.IModelProto;
  try {
    model = onnxProto.onnx.ModelProto.decode(bytes);
  } catch (cause) {
    throw new FivecropError(`${file} is no ONNX model: ${bytes.length} bytes that cannot be read as one (${messageOf(cause)})`, { cause });
  }
  const opset = model.opsetImport?.find(({ domain }) => isStandard(domain))?.version;
  if (!model.graph?.node || !Number(model.irVersion) || opset === undefined || opset === null)
    throw new FivecropError(`${file} is no ONNX model: expected a graph, a version and an opset in its ${bytes.length} bytes`);
  if (model.graph.sparseInitializer?.length) throw new FivecropError(`${file}: sparse initializers are not supported`);
  return { graph: model.graph, opset: Number(opset) };
}

const isStandard = (domain: string | null | undefined): boolean => !domain || domain === "ai.onnx";

type Specs = Readonly<Record<string, AttributeSpec>>;

function specsOf(op: string, domain: string | null | undefined, where: string, opset: number): Specs {
  if (!isStandard(domain) || !Object.hasOwn(TABLE, op) || TABLE[op].sinceOpset === undefined)
    throw new FivecropError(`${where}: this operator is not supported (opset ${opset})`);
  return TABLE[op].attributes;
}

function checkAttributes(given: object, specs: Specs, encoded: readonly onnx.IAttributeProto[], opset: number): void {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(specs, name)) throw new FivecropError(`its attribute '${name}' (${value}) is not supported here (opset ${opset})`);
    const kind = ATTRIBUTE_TYPE_NAMES[encoded.find((a) => a.name === name)?.type ?? 0];
    if (kind !== "unstated" && kind !== specs[name].type)
      throw new FivecropError(`its attribute '${name}': expected ${specs[name].type}, found ${kind}`);
  }
}

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

function constantOf(
  { value, value_float, value_floats, value_int, value_ints }: Readonly<Record<string, Attribute>>,
  where: string,
): Tensor {
  if (typeof value === "object" && "dtype" in value) return value;
  if (typeof value_float === "number") return float32([value_float], []);
  if (Array.isArray(value_floats)) return float32(value_floats);
  if (typeof value_int === "number") return toInt64([value_int], []);
  if (Array.isArray(value_ints)) return toInt64(value_ints);
  throw new FivecropError(`${where}: this kind of constant is not supported`);
}

/** A dimension as the file has it: known, named, or "" where nothing is said. */
interface FilePort {
  readonly name: string;
  readonly dtype: NonNullable<ReturnType<typeof dtypeOf>>;
  readonly shape: readonly (number | string)[];
  readonly known: boolean;
}

function toPort({ name, type }: onnx.IValueInfoProto, where: string): FilePort {
  const elemType = type?.tensorType?.elemType ?? 0;
  const dtype = dtypeOf(elemType);
  if (!dtype) throw new FivecropError(`${where}: the element type ${elemType} (TensorProto.DataType) is not supported`);
  const shape = (type?.tensorType?.shape?.dim ?? []).map((d) => (Number(d.dimValue ?? 0) > 0 ? Number(d.dimValue) : (d.dimParam ?? "")));
  return { name: name ?? "", dtype, shape, known: Boolean(type?.tensorType?.shape) };
}

function batched({ name, shape, known }: FilePort, batch: number | string | undefined, file: string): readonly Dimension[] {
  if (!known) throw new FivecropError(`${file}: input '${name}' says no shape. To fix: export with a shape for each input.`);
  return shape.map((d, axis) => {
    if (typeof d === "number") return d;
    if (d === batch && (d !== "" || axis === 0)) return "N";
    throw new FivecropError(
      `${file}: input '${name}' [${shape.map((each) => each || "?")}]: axis ${axis} is not a number, which only the batch (axis 0) may be. ` +
        "To fix: export with a fixed image size.",
    );
  });
}

function checkOutput(value: Value, { name, dtype, shape, known }: FilePort, file: string): void {
  const fits = !known || (shape.length === value.shape.length && shape.every((d, i) => typeof d === "string" || d === value.shape[i]));
  if (!fits || dtype !== value.dtype)
    throw new FivecropError(`${file}: output '${name}': the file says ${dtype}[${shape}], its nodes give ${printType(value)}`);
}
