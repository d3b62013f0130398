import type { Graph, Value } from "../../models/graph/graph.ts";

/** A tensor that a step reads and replaces: two values of the graph, an input before and an output after the step. */
export interface Variable {
  readonly name: string;
  /** `state` is a running statistic; a slot belongs to the optimizer; an `average` is kept of each parameter and statistic. */
  readonly role: "parameter" | "slot" | "state" | "average";
  readonly before: Value;
  readonly after: Value;
}

/** What becomes of a running statistic: κ · running + τ · observed. */
export interface RunningStatistic {
  readonly running: Value;
  /** The batch's. */
  readonly observed: Value;
  readonly kept: number;
  readonly taken: number;
}

/** Uniform numbers in [0, 1) that a step is fed, drawn anew for each step from the node's name. */
export interface Noise {
  readonly node: string;
  readonly value: Value;
}

/** A step as a graph: images, targets, rates, noise and variables in; loss, logits and the next variables out. */
export interface TrainingGraph {
  readonly graph: Graph;
  readonly variables: readonly Variable[];
  readonly noise: readonly Noise[];
}
