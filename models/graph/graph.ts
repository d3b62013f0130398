import type { DType, Tensor } from "../../core/tensor.ts";

/** A dimension is known, or it is the batch, or a multiple of it ("12N"). `withBatch` makes all known: gradients and updates see only known shapes. */
export type Dimension = number | BatchDimension;
export type BatchDimension = "N" | `${number}N`;

export const isOfBatch = (dimension: Dimension): dimension is BatchDimension => typeof dimension === "string";

/** 12 of "12N", 1 of "N"; a number itself. */
export const factorOf = (dimension: Dimension): number =>
  !isOfBatch(dimension) ? dimension : dimension === "N" ? 1 : Number(dimension.slice(0, -1));

/** "N", or a multiple of it. */
export const ofBatch = (factor: number): BatchDimension => (factor === 1 ? "N" : `${factor}N`);

export interface ValueType {
  readonly dtype: DType;
  readonly shape: readonly Dimension[];
}

/** One edge of the graph. Identity is the object; the name is for people and files. */
export interface Value extends ValueType {
  readonly name: string;
}

export type Attribute = number | string | readonly number[] | Tensor;
export type Attributes = Readonly<Record<string, Attribute | undefined>>;

/** One call of an operator. `undefined` marks an omitted optional input. All attributes are present, defaults filled in. */
export interface Node {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly attributes: Attributes;
  readonly outputs: readonly Value[];
}

/** Nodes are in execution order. A pass never edits a graph: it returns another. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly initializers: ReadonlyMap<Value, Tensor>;
  readonly nodes: readonly Node[];
}

/** The shape as numbers. @throws Error where the batch is still unknown, which is the caller's mistake: bind it first. */
export function knownShape(value: ValueType & { readonly name?: string }): readonly number[] {
  if (value.shape.some(isOfBatch)) throw new Error(`the batch of '${value.name ?? "a value"}' is unknown here: bind it with withBatch`);
  return value.shape as readonly number[];
}

/** How many times each value is read by nodes or is an output. */
export function countUses(graph: Graph): ReadonlyMap<Value, number> {
  const uses = new Map<Value, number>();
  const use = (value: Value | undefined) => value && uses.set(value, (uses.get(value) ?? 0) + 1);
  for (const node of graph.nodes) node.inputs.forEach(use);
  graph.outputs.forEach(use);
  return uses;
}
