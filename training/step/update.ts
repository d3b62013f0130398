import type { GraphBuilder } from "../../models/graph/builder.ts";
import { knownShape, type Value } from "../../models/graph/graph.ts";
import type { Arithmetic, Optimizer } from "../optimizers.ts";
import { AVERAGE_FACTORS, averageName, moveAverage, type WeightAverage } from "../weight-average.ts";
import { applyToEach, type Operands } from "./together.ts";
import type { RunningStatistic, Variable } from "./training-graph.ts";

/** Update rules as nodes of a graph. */
function graphArithmetic(g: GraphBuilder): Arithmetic<Value> {
  const binary = (op: string) => (a: Value, b: Value | number) => g.add(op, [a, typeof b === "number" ? g.scalar(b) : b]);
  return { add: binary("Add"), sub: binary("Sub"), mul: binary("Mul"), div: binary("Div"), sqrt: (a) => g.add("Sqrt", [a]) };
}

/** The inputs that an update reads besides the variables: the learning rate, the optimizer's factors and the average's, all scalars. */
export const rateNames = (optimizer: Optimizer, average?: WeightAverage): readonly string[] => [
  "learning-rate",
  ...optimizer.factors,
  ...(average ? AVERAGE_FACTORS : []),
];

export interface UpdateOptions {
  readonly optimizer: Optimizer;
  /** What multiplies the learning rate, by parameter name. */
  readonly rateFactors?: ReadonlyMap<string, number>;
  /** Whether small vectors are updated together. @see applyToEach */
  readonly join: boolean;
}

/**
 * Appends the optimizer's rule for each parameter.
 * @returns the parameters and the optimizer's slots, before and after.
 */
export function appendUpdates(
  g: GraphBuilder,
  gradients: ReadonlyMap<Value, Value>,
  { optimizer, rateFactors = new Map(), join }: UpdateOptions,
): Variable[] {
  const math = graphArithmetic(g);
  const [rate, ...factors] = rateNames(optimizer).map((name) => g.input(name, "float32", []));
  const factorOf = ({ name }: { readonly name: string }): number => rateFactors.get(name) ?? 1;
  const operands = [...gradients].map(([parameter, gradient]): Operands => {
    const slots = optimizer.slots.map((slot) => g.input(slotName(parameter.name, slot), "float32", knownShape(parameter)));
    return { name: parameter.name, values: [parameter, gradient, ...slots] };
  });
  const updated = new Map<Operands, readonly Value[]>();
  for (const factor of new Set(operands.map(factorOf))) {
    const learningRate = factor === 1 ? rate : math.mul(rate, factor);
    const each = operands.filter((one) => factorOf(one) === factor);
    const results = applyToEach(g, "update", each, join, ([parameter, gradient, ...slots]) => {
      const next = optimizer.update(math, { parameter, gradient, slots, learningRate, factors });
      return [next.parameter, ...next.slots];
    });
    results.forEach((after, i) => {
      updated.set(each[i], after);
    });
  }
  return operands.flatMap((one): Variable[] => {
    const [parameter, , ...slots] = one.values;
    return [parameter, ...slots].map(
      (before, i): Variable => ({ name: before.name, role: i === 0 ? "parameter" : "slot", before, after: updated.get(one)![i] }),
    );
  });
}

/** Appends r ← κ · r + τ · o for each running statistic. @returns them, before and after. */
export function appendStatistics(g: GraphBuilder, statistics: readonly RunningStatistic[], join: boolean): Variable[] {
  const each = statistics.map(
    ({ running, observed, kept, taken }): Operands => ({ name: running.name, values: [running, observed], numbers: [kept, taken] }),
  );
  const results = applyToEach(g, "next", each, join, ([running, observed], [kept, taken]) => [
    g.add("Add", [g.add("Mul", [running, kept]), g.add("Mul", [observed, taken])]),
  ]);
  return statistics.map(({ running }, i): Variable => ({ name: running.name, role: "state", before: running, after: results[i][0] }));
}

/** Appends the moving average of each parameter and running statistic. @returns the averages, before and after. */
export function appendAverages(g: GraphBuilder, variables: readonly Variable[], join: boolean): Variable[] {
  const math = graphArithmetic(g);
  const [kept, taken] = AVERAGE_FACTORS.map((name) => g.input(name, "float32", []));
  const averaged = variables.filter(({ role }) => role !== "slot");
  const each = averaged.map(({ name, before, after }): Operands => {
    const average = g.input(averageName(name), "float32", knownShape(before));
    return { name, values: [average, after] };
  });
  const results = applyToEach(g, "average", each, join, ([average, value]) => [moveAverage(math, { average, value, kept, taken })]);
  return each.map(({ values: [before] }, i): Variable => ({ name: before.name, role: "average", before, after: results[i][0] }));
}

/** A slot's variable: `conv1.weight/velocity`. */
export const slotName = (parameter: string, slot: string): string => `${parameter}/${slot}`;
