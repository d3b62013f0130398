import onnxProto, { type onnx } from "onnx-proto";
import { FivecropError, messageOf } from "../core/errors.ts";
import type { GraphBuilder } from "../models/graph/builder.ts";
import type { Dimension, Graph, Value } from "../models/graph/graph.ts";
import { printType } from "../models/graph/print.ts";
import { graphBuilder } from "../models/ops/index.ts";
import { dtypeOf } from "./data-types.ts";
import { importNode, opsetOf } from "./import-node.ts";
import { NAME_A_MODEL } from "./metadata.ts";
import { withNames } from "./substitute.ts";
import { createSymbols, type Symbols } from "./symbols.ts";
import { toTensor } from "./tensor-data.ts";

/** Below it operators broadcast by an attribute. */
const OLDEST_OPSET = 7;

export interface ParseOptions {
  /** What an error's message calls the bytes. */
  readonly file?: string;
  /** The bytes of a file that holds weights beside the model, by the location that the model says. Left out, such weights are refused. */
  readonly external?: (location: string) => Uint8Array;
  /** A fixed first dimension of the inputs becomes the batch "N": shapes that follow from it are freed too, each only where that is the one meaning. */
  readonly freeBatch?: boolean;
  /** A constant that nodes turn, cast or pass on becomes one constant. */
  readonly foldConstants?: boolean;
}

/**
 * As `parseModel`, of a file that is taken as it is.
 * @param options what an error's message calls the bytes, or more
 */
export const parse = (bytes: Uint8Array, options: string | ParseOptions = {}): Graph =>
  parseModel(bytes, typeof options === "string" ? { file: options } : options).graph;

/**
 * The graph of an ONNX file of opset 7 or newer. Values keep their names, nodes theirs; each node takes the form that OPS knows, defaults are filled in and
 * every shape is inferred again. `Constant` nodes become initializers, and what is computed of shapes alone is folded, with the batch kept as it is: the first dimension of an input, where it is symbolic, is the batch "N".
 * @returns the graph, and the batch that the file was written for where it is free now
 * @throws FivecropError where the bytes are no ONNX model, or hold something that is not supported: named, with its node.
 */
export function parseModel(
  bytes: Uint8Array,
  { file = "the model", external, freeBatch = false, foldConstants = false }: ParseOptions = {},
): { readonly graph: Graph; readonly fixedBatch: number | undefined } {
  const { graph, opset } = decode(bytes, file);
  const g = graphBuilder();
  const symbols = createSymbols(g, file);
  const fixedBatch = addInputs(g, symbols, graph, { file, freeBatch });
  for (const { name, tensor } of heldTensors(graph, file, external)) symbols.define(name, g.initializer(name, tensor));
  const images = [...symbols.names.keys()].find((value) => value.shape.length > 1 && value.shape[0] === "N");
  const site = { g, symbols, opset, file, fixedBatch, images, foldConstants };
  for (const node of graph.node ?? []) importNode(site, node);
  const outputs = (graph.output ?? []).map((output) => {
    const value = symbols.find(output.name ?? "", "the graph's output");
    checkOutput(value, toPort(output, `${file}: output '${output.name}'`), { file, fixedBatch });
    return value;
  });
  return { graph: withNames(g.build(graph.name || "graph", outputs), symbols.names), fixedBatch };
}

const heldTensors = ({ initializer }: onnx.IGraphProto, file: string, external: ParseOptions["external"]) =>
  (initializer ?? []).map((held) => ({
    name: held.name ?? "",
    tensor: toTensor(held, `${file}: initializer '${held.name}'`, external),
  }));

/** Old files list their initializers among the inputs: those are not fed. @returns the batch that was fixed and is free now */
function addInputs(
  g: GraphBuilder,
  symbols: Symbols,
  graph: onnx.IGraphProto,
  { file, freeBatch }: { readonly file: string; readonly freeBatch: boolean },
): number | undefined {
  const held = new Set((graph.initializer ?? []).map(({ name }) => name));
  const fed = (graph.input ?? []).filter(({ name }) => !held.has(name)).map((input) => toPort(input, `${file}: input '${input.name}'`));
  const batch = fed.find(({ shape }) => shape.length > 0 && typeof shape[0] !== "number")?.shape[0];
  const fixed = freeBatch && batch === undefined ? fed.find(({ shape }) => shape.length > 1)?.shape[0] : undefined;
  for (const port of fed) {
    const shape = batched(port, batch, file);
    const freed = fixed !== undefined && shape[0] === fixed ? (["N", ...shape.slice(1)] as const) : shape;
    symbols.define(port.name, g.input(port.name, port.dtype, freed));
  }
  return typeof fixed === "number" ? fixed : undefined;
}

function decode(bytes: Uint8Array, file: string): { readonly graph: onnx.IGraphProto; readonly opset: number } {
  let model: onnx.IModelProto;
  try {
    model = onnxProto.onnx.ModelProto.decode(bytes);
  } catch (cause) {
    throw new FivecropError(
      `${file} is no ONNX model: expected a graph, found ${bytes.length} bytes that cannot be read as one (${messageOf(cause)}). ${NAME_A_MODEL}`,
      { cause },
    );
  }
  const opset = opsetOf(model.opsetImport);
  if (!model.graph?.node || !Number(model.irVersion) || opset === undefined || opset === null)
    throw new FivecropError(
      `${file} is no ONNX model: expected a graph, a version and an opset in its ${bytes.length} bytes. ${NAME_A_MODEL}`,
    );
  if (Number(opset) < OLDEST_OPSET)
    throw new FivecropError(
      `${file} is of opset ${opset}: expected ${OLDEST_OPSET} or newer. To fix: convert it (onnx.version_converter).`,
    );
  if (model.graph.sparseInitializer?.length) throw new FivecropError(`${file}: sparse initializers are not supported`);
  return { graph: model.graph, opset: Number(opset) };
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

function checkOutput(
  value: Value,
  { name, dtype, shape, known }: FilePort,
  { file, fixedBatch }: { readonly file: string; readonly fixedBatch: number | undefined },
): void {
  const same = (d: number | string, own: Dimension) => typeof d === "string" || d === own || (own === "N" && d === fixedBatch);
  const fits = !known || (shape.length === value.shape.length && shape.every((d, i) => same(d, value.shape[i])));
  if (!fits || dtype !== value.dtype)
    throw new FivecropError(`${file}: output '${name}': the file says ${dtype}[${shape}], its nodes give ${printType(value)}`);
}
