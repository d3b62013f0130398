import type { onnx } from "onnx-proto";
import { FivecropError, messageOf } from "../core/errors.ts";
import { float32 } from "../core/tensor.ts";
import type { GraphBuilder } from "../models/graph/builder.ts";
import { isOfBatch, type Value } from "../models/graph/graph.ts";
import type { OpTable } from "../models/graph/op.ts";
import { OPS } from "../models/ops/index.ts";
import { expandTo, reshapeTarget, sameBatch, scalesOfSizes, viewOfGather } from "./batch-shapes.ts";
import { fold, foldShape, foldSize } from "./fold.ts";
import { type Attributes, attributesOf, checkAttributes, constantOf } from "./import-attributes.ts";
import { type Known, known } from "./known.ts";
import type { Symbols } from "./symbols.ts";
import { toInt64 } from "./tensor-data.ts";
import { upgrade } from "./upgrade.ts";

const TABLE: OpTable = OPS;

/** Where a file's nodes become a graph. */
export interface ImportSite {
  readonly g: GraphBuilder;
  readonly symbols: Symbols;
  readonly opset: number;
  /** What an error's message calls the model. */
  readonly file: string;
  /** An input whose first axis is the batch. */
  readonly images: Value | undefined;
  /** The batch that the file was written for, where it is free now. */
  readonly fixedBatch: number | undefined;
  /** What nodes make of the file's own constants is a constant too. */
  readonly foldConstants: boolean;
}

/** One node of a file. */
interface FileNode {
  readonly op: string;
  readonly name: string;
  readonly where: string;
  readonly standard: boolean;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  readonly encoded: readonly onnx.IAttributeProto[];
}

const isStandard = (domain: string | null | undefined): boolean => !domain || domain === "ai.onnx";

/** The version of the standard operators that a file is written in. */
export const opsetOf = (imports: readonly onnx.IOperatorSetIdProto[] | null | undefined) =>
  imports?.find(({ domain }) => isStandard(domain))?.version;

/** Adds a file's node in today's form, or what it stands for where that is known already. @throws FivecropError that names the file and the node. */
export function importNode(site: ImportSite, encoded: onnx.INodeProto): void {
  const { symbols, g, file } = site;
  const node = readNode(encoded, file);
  const { op, standard, outputs, attributes, where } = node;
  if (op === "Constant" && standard) {
    symbols.define(outputs[0], g.initializer(outputs[0], constantOf(attributes, `${file}: ${where}`)));
    return;
  }
  let results: readonly Value[];
  try {
    const folded = standard ? foldNode(site, node) : undefined;
    if (folded) symbols.defineKnown(outputs[0], folded);
    results = folded ? [] : addNode(site, node);
  } catch (cause) {
    throw new FivecropError(explained(messageOf(cause), where, site), { cause });
  }
  results.forEach((value, i) => {
    if (outputs[i]) symbols.define(outputs[i], value);
  });
}

function readNode({ opType, domain, name: given, attribute, input, output }: onnx.INodeProto, file: string): FileNode {
  const op = opType ?? "";
  const name = given || output?.[0] || op;
  const where = `node '${name}' (${domain ? `${domain}.` : ""}${op})`;
  const attributes = attributesOf(attribute ?? [], `${file}: ${where}`);
  return {
    op,
    name,
    where,
    standard: isStandard(domain),
    inputs: input ?? [],
    outputs: output ?? [],
    attributes,
    encoded: attribute ?? [],
  };
}

function explained(message: string, where: string, { file, fixedBatch }: ImportSite): string {
  const text = message.startsWith(`${file}: `) ? message : `${file}: ${message.startsWith("node ") ? message : `${where}: ${message}`}`;
  return fixedBatch === undefined || message.includes("is not supported")
    ? text
    : `${text}. The file takes ${fixedBatch} image${fixedBatch === 1 ? "" : "s"} at a time, and this node cannot be freed of that number. To fix: export it with a dynamic batch axis.`;
}

function addNode(
  site: ImportSite,
  { op: given, name, standard, inputs: names, outputs, attributes: own, encoded, where }: FileNode,
): readonly Value[] {
  const { g, opset } = site;
  if (!standard) throw new FivecropError(`this operator is not supported (opset ${opset})`);
  const inputs = inputsOf(site, { op: given, inputs: names, attributes: own, where });
  const indices = given === "Gather" ? site.symbols.knownOf(names[1]) : undefined;
  const view = indices && viewOfGather(indices, inputs[0]?.shape ?? [], site.fixedBatch);
  if (view) return g.addAll("Reshape", [inputs[0], g.initializer(names[1], toInt64(view))], {}, name);
  const { op, attributes, after, ...rest } = upgrade(given, {
    opset,
    name,
    attributes: own,
    inputs,
    outputs: outputs.filter(Boolean).length,
    g,
  });
  if (!Object.hasOwn(TABLE, op) || TABLE[op].sinceOpset === undefined)
    throw new FivecropError(`this operator is not supported (opset ${opset}${op === given ? "" : `; it is ${op} today`})`);
  if (op === "Expand" && site.images && inputs[1] === undefined)
    return [expandTo(g, inputs[0], site.symbols.knownOf(names[1]), site.images)];
  checkAttributes(attributes, TABLE[op].attributes, encoded, opset);
  const results = g.addAll(op, rest.inputs, attributes, name);
  return after ? [after(results[0])] : results;
}

/** What is known of a node's result before anything runs. @returns undefined where it is a node of the graph. */
function foldNode({ symbols, foldConstants }: ImportSite, { op, inputs: names, attributes, where }: FileNode): Known | Value | undefined {
  if (op === "Shape" || op === "Size") {
    const shaped = symbols.held(names[0]) ?? symbols.knownOf(names[0]) ?? symbols.find(names[0], where);
    return op === "Shape" ? foldShape(shaped, attributes) : foldSize(shaped);
  }
  const inputs = names.map((name) => (name ? symbols.knownOf(name) : undefined));
  if (names.some((name, i) => name && !inputs[i])) return undefined;
  if (!foldConstants && Object.hasOwn(TABLE, op) && names.every((name) => !name || symbols.held(name))) return undefined;
  return op === "Identity"
    ? (symbols.held(names[0]) ?? inputs[0])
    : fold(op, { inputs: listsAsInputs(op, inputs, attributes), attributes });
}

const LISTS: Readonly<Record<string, readonly string[]>> = { Squeeze: ["axes"], Unsqueeze: ["axes"], Slice: ["starts", "ends", "axes"] };

/** Lists of integers that were attributes once, as inputs. */
function listsAsInputs(op: string, inputs: readonly (Known | undefined)[], attributes: Attributes): readonly (Known | undefined)[] {
  if (inputs.length !== 1 || !Object.hasOwn(LISTS, op)) return inputs;
  const lists = LISTS[op].map((name) => attributes[name]);
  return [...inputs, ...lists.map((list) => (Array.isArray(list) ? known("int64", [list.length], list as number[]) : undefined))];
}

/** A node's inputs as values of the graph; a shape with the batch in it says so as its operator can. */
function inputsOf(
  site: ImportSite,
  { op, inputs: names, attributes, where }: Pick<FileNode, "op" | "inputs" | "attributes" | "where">,
): readonly (Value | undefined)[] {
  const { g, symbols, fixedBatch, images } = site;
  const find = (name: string): Value | undefined => (name ? symbols.find(name, where) : undefined);
  const place = SHAPE_INPUT[op];
  const target = place === undefined || !names[place] ? undefined : symbols.knownOf(names[place]);
  const elements = Array.from(target?.elements ?? []);
  if (target && op === "Reshape") {
    const data = find(names[0]);
    const list = reshapeTarget(elements, data?.shape ?? [], fixedBatch);
    return [data, list ? g.initializer(names[1], toInt64(list)) : find(names[1])];
  }
  if (target && op === "Resize") {
    const data = find(names[0]);
    const scales =
      data && scalesOfSizes(elements, data.shape, { axes: attributes.axes as readonly number[] | undefined, fixed: fixedBatch });
    if (scales) return [data, undefined, g.initializer(names[3], float32(scales))];
  }
  if (target && op === "Expand" && elements.some(isOfBatch)) return [find(names[0]), undefined];
  const inputs = names.map(find);
  return op === "Concat" && images && fixedBatch !== undefined ? sameBatch(g, inputs, images) : inputs;
}

/** Where an operator takes a shape that may have the batch in it. */
const SHAPE_INPUT: Readonly<Record<string, number>> = { Reshape: 1, Expand: 1, Resize: 3 };
