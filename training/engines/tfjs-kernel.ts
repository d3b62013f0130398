import type * as tensorflow from "@tensorflow/tfjs";
import type { Node } from "../../models/graph/graph.ts";

/** TensorFlow.js, whichever of its packages it came with. */
export type Tf = typeof tensorflow;
export type TfTensor = tensorflow.Tensor;
export type TfVariable = tensorflow.Variable;

/**
 * How a tensor lies in memory, as the order of its axes: images `channels last` as tensorflow's kernels want them, a convolution's weight as `filters`
 * [height, width, in, out]. Only what has four axes can lie in another way than `standard`, the graph's own.
 */
export type Layout = keyof typeof ORDER;
export const ORDER = {
  standard: [0, 1, 2, 3],
  "channels last": [0, 2, 3, 1],
  filters: [2, 3, 1, 0],
} as const satisfies Readonly<Record<string, readonly number[]>>;

/** The layouts that one node takes and gives. */
export interface Placement {
  readonly inputs: readonly Layout[];
  readonly output: Layout;
}

/** What a step in training hands to the kernels, and takes from them. */
export interface TrainingStep {
  /** Uniform numbers in [0, 1) for a node. */
  noise(node: Node, shape: readonly number[]): Float32Array;
  /** The moments that a batch norm saw. They are the step's to dispose. */
  observe(node: Node, mean: TfTensor, variance: TfTensor): void;
}

/** One node whose kernel is wanted. */
export interface Site {
  readonly tf: Tf;
  readonly node: Node;
  /** Of the first input. */
  readonly layout: Layout;
  /** The shape of input i in the graph, all of it known. */
  shape(input: number): readonly number[];
  /** The output's shape in the graph. */
  readonly output: readonly number[];
  /** Numbers of an input that the graph holds; undefined where it is left out. @throws FivecropError where it is computed at run time. */
  numbers(input: number): readonly number[] | undefined;
  /** Where an axis of the graph's shape lies here. */
  axis(axis: number): number;
  /** One number for each axis, in the order in which they lie here. */
  inOrder(perAxis: readonly number[]): number[];
  /** Absent at inference. */
  readonly training: boolean;
  /** @throws FivecropError that names the node, and why tensorflow does not compute it. */
  refuse(why: string): never;
}

/** A node's computation. */
export type Run = (inputs: readonly TfTensor[], step: TrainingStep | undefined) => TfTensor | readonly TfTensor[];

/** What tensorflow makes of one operator. */
export interface Kernel {
  /** @param follows the layout in which the first of its computed images is there. Left out: everything lies as in the graph. */
  place?(node: Node, follows: Layout): Placement;
  /** Decides once what is to be run at every step. */
  make(site: Site): Run;
}
