import { FivecropError } from "../../core/errors.ts";
import type { Device } from "../../core/session.ts";
import type { Graph, Node, Value } from "../../models/graph/graph.ts";
import { printType } from "../../models/graph/print.ts";
import type { OpName } from "../../models/ops/index.ts";
import { type ConstantOf, conversionCost, type Formulation, GPUS, type Layout, type Plan } from "./lower/formulation.ts";
import { FORMULATIONS } from "./lower/index.ts";

/** A formulation for a node, with what it wants and gives. */
export interface Choice {
  readonly formulation: Formulation;
  readonly plan: Plan;
}

export type Selection = ReadonlyMap<Node, Choice>;

/**
 * Picks one formulation for each node, so that the sum of their costs and of the transposes between layouts is small: from two starting points,
 * one with the images as they come and one that pretends they came innermost, nodes are changed one at a time while that helps. The better one is taken.
 * On a GPU, whose kernels are made for it, everything stays in the standard layout where a node can be computed in it.
 * @param prefer a formulation's name: it alone is considered wherever it applies, whatever it costs
 * @throws FivecropError where a node cannot be computed on the device.
 */
export function select(graph: Graph, device: Device = "cpu", prefer?: string): Selection {
  const constantOf: ConstantOf = (value) => graph.initializers.get(value);
  const choices = new Map(graph.nodes.map((node) => [node, preferred(choicesFor(node, constantOf, device), prefer)]));
  const attempts = [false, true].map((innermostImages) => {
    const selection = greedy(graph, choices, innermostImages);
    return { selection, cost: improve(graph, choices, selection) };
  });
  return attempts.reduce((best, attempt) => (attempt.cost < best.cost ? attempt : best)).selection;
}

function choicesFor(node: Node, constantOf: ConstantOf, device: Device): readonly Choice[] {
  const found = FORMULATIONS[node.op as OpName].flatMap((formulation) => {
    const plan = formulation.plan(node, constantOf);
    return plan && (plan.devices?.includes(device) ?? true) ? [{ formulation, plan }] : [];
  });
  if (!found.length)
    throw new FivecropError(
      `node '${node.name}' (${node.op}): no formulation computes it on ${device}: its inputs are ${node.inputs.map((value) => (value ? printType(value) : "none")).join(", ")}. ` +
        "To fix: choose the device cpu, or another operator.",
    );
  const standard = GPUS.includes(device)
    ? found.filter(({ plan }) => [...plan.inputs, ...plan.outputs].every((layout) => layout === "standard"))
    : [];
  return standard.length ? standard : found;
}

function preferred(choices: readonly Choice[], name: string | undefined): readonly Choice[] {
  const found = choices.filter(({ formulation }) => formulation.name === name);
  return found.length ? found : choices;
}

const argMin = <T>(items: readonly T[], cost: (item: T) => number): T =>
  items.reduce((best, item) => (cost(item) < cost(best) ? item : best));

/** Node by node in execution order: the cheapest with the transposes of its inputs. */
function greedy(graph: Graph, choices: ReadonlyMap<Node, readonly Choice[]>, innermostImages: boolean): Map<Node, Choice> {
  const layouts = new Map<Value, Layout>();
  for (const value of graph.inputs) if (innermostImages && value.shape.length === 4) layouts.set(value, "innermost");
  const selection = new Map<Node, Choice>();
  for (const node of graph.nodes) {
    const wanted = ({ plan }: Choice) =>
      node.inputs.reduce(
        (sum, value, i) => sum + (value && (layouts.get(value) ?? "standard") !== plan.inputs[i] ? conversionCost(value) : 0),
        plan.cost,
      );
    const choice = argMin(choices.get(node)!, wanted);
    selection.set(node, choice);
    node.outputs.forEach((value, i) => {
      layouts.set(value, choice.plan.outputs[i]);
    });
  }
  return selection;
}

/** Changes one node's choice at a time while the whole gets cheaper. @returns the final cost */
function improve(graph: Graph, choices: ReadonlyMap<Node, readonly Choice[]>, selection: Map<Node, Choice>): number {
  const producers = new Map<Value, { readonly node: Node; readonly index: number }>();
  const readers = new Map<Value, { readonly node: Node; readonly index: number }[]>();
  const outputs = new Set(graph.outputs);
  for (const node of graph.nodes) {
    node.outputs.forEach((value, index) => {
      producers.set(value, { node, index });
    });
    node.inputs.forEach((value, index) => {
      if (value) readers.set(value, [...(readers.get(value) ?? []), { node, index }]);
    });
  }
  /** A value is transposed once, however many read it in the other layout. */
  const transposes = (value: Value): number => {
    const producer = producers.get(value);
    const layout = producer ? selection.get(producer.node)!.plan.outputs[producer.index] : "standard";
    const differs =
      (outputs.has(value) && layout !== "standard") ||
      (readers.get(value) ?? []).some(({ node, index }) => selection.get(node)!.plan.inputs[index] !== layout);
    return differs ? conversionCost(value) : 0;
  };
  const around = (node: Node): number =>
    [...new Set([...node.inputs, ...node.outputs])].reduce(
      (sum, value) => sum + (value ? transposes(value) : 0),
      selection.get(node)!.plan.cost,
    );
  const costWith = (node: Node, choice: Choice): number => {
    selection.set(node, choice);
    return around(node);
  };
  for (let changed = true, sweep = 0; changed && sweep < 20; sweep++) {
    changed = false;
    for (const node of graph.nodes) {
      const before = selection.get(node)!;
      const cost = around(node);
      const best = argMin(choices.get(node)!, (choice) => costWith(node, choice));
      const improved = costWith(node, best) < cost - 1e-6;
      selection.set(node, improved ? best : before);
      changed ||= improved;
    }
  }
  const values = new Set([...producers.keys(), ...readers.keys()]);
  return (
    [...selection.values()].reduce((sum, { plan }) => sum + plan.cost, 0) + [...values].reduce((sum, value) => sum + transposes(value), 0)
  );
}
