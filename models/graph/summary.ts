import { sizeOf } from "../../core/tensor.ts";
import type { Graph, Value } from "./graph.ts";
import { printType } from "./print.ts";

export interface NodeSummary {
  readonly name: string;
  readonly op: string;
  /** Types of what it computes: `float32[N,16,28,28]`. */
  readonly outputs: readonly string[];
  /** How many learned numbers it reads that no node before it did. */
  readonly parameters: number;
}

export interface GraphSummary {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly NodeSummary[];
  /** Numbers in the initializers that are learned, and in the others that are floating-point: running statistics, constants. */
  readonly parameters: number;
  readonly constants: number;
}

/** @param learned the initializers that count as parameters; all of float32 where it is left out, since a file does not say. */
export function summarize(graph: Graph, learned?: Iterable<Value>): GraphSummary {
  const floats = [...graph.initializers.keys()].filter(({ dtype }) => dtype === "float32");
  const counted = new Set(learned ?? floats);
  const size = (value: Value) => sizeOf(value.shape as readonly number[]);
  const sum = (values: readonly Value[]) => values.reduce((total, value) => total + size(value), 0);
  const unread = new Set(counted);
  const nodes = graph.nodes.map(({ name, op, inputs, outputs }) => {
    const read = new Set(inputs.flatMap((value) => (value && unread.delete(value) ? [value] : [])));
    return { name, op, outputs: outputs.map(printType), parameters: sum([...read]) };
  });
  const port = (value: Value) => `${value.name}: ${printType(value)}`;
  return {
    name: graph.name,
    inputs: graph.inputs.map(port),
    outputs: graph.outputs.map(port),
    nodes,
    parameters: sum([...counted]),
    constants: sum(floats.filter((value) => !counted.has(value))),
  };
}
