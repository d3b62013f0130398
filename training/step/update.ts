import type { GraphBuilder } from "../../models/graph/builder.ts";
import { knownShape, type Value } from "../../models/graph/graph.ts";
import type { Arithmetic, Optimizer } from "../optimizers.ts";
import { AVERAGE_FACTORS, averageName, moveAverage, type WeightAverage } from "../weight-average.ts";
import type { Variable } from "./training-graph.ts";

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

/**
 * Appends the optimizer's rule for each parameter.
 * @param rateFactors what multiplies the learning rate, by parameter name
 * @returns the parameters and the optimizer's slots, before and after.
 */
export function appendUpdates(
  g: GraphBuilder,
  gradients: ReadonlyMap<Value, Value>,
  optimizer: Optimizer,
  rateFactors: ReadonlyMap<string, number> = new Map(),
): Variable[] {
  const math = graphArithmetic(g);
  const [rate, ...factors] = rateNames(optimizer).map((name) => g.input(name, "float32", []));
  return [...gradients].flatMap(([parameter, gradient]): Variable[] => {
    const factor = rateFactors.get(parameter.name) ?? 1;
    const learningRate = factor === 1 ? rate : math.mul(rate, factor);
    const slots = optimizer.slots.map((slot) => g.input(slotName(parameter.name, slot), "float32", knownShape(parameter)));
    const next = g.within(`${parameter.name}.update`, () => optimizer.update(math, { parameter, gradient, slots, learningRate, factors }));
    return [
      { name: parameter.name, role: "parameter", before: parameter, after: next.parameter },
      ...slots.map((before, i): Variable => ({ name: before.name, role: "slot", before, after: next.slots[i] })),
    ];
  });
}

/** Appends the moving average of each parameter and running statistic. @returns the averages, before and after. */
export function appendAverages(g: GraphBuilder, variables: readonly Variable[]): Variable[] {
  const math = graphArithmetic(g);
  const [kept, taken] = AVERAGE_FACTORS.map((name) => g.input(name, "float32", []));
  return variables.flatMap(({ name, role, before, after }): Variable[] => {
    if (role === "slot") return [];
    const average = g.input(averageName(name), "float32", knownShape(before));
    const next = g.within(`${name}.average`, () => moveAverage(math, { average, value: after, kept, taken }));
    return [{ name: average.name, role: "average", before: average, after: next }];
  });
}

/** A slot's variable: `conv1.weight/velocity`. */
export const slotName = (parameter: string, slot: string): string => `${parameter}/${slot}`;
