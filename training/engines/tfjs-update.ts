import type { Node } from "../../models/graph/graph.ts";
import type { Arithmetic, Optimizer } from "../optimizers.ts";
import { normalizedCount } from "../step/norm-count.ts";
import { slotName } from "../step/update.ts";
import { averageFactorsAt, averageName, moveAverage, type WeightAverage } from "../weight-average.ts";
import type { Tf, TfTensor, TfVariable } from "./tfjs-kernel.ts";

/** Update rules on tensorflow's tensors. */
export interface TfArithmetic extends Arithmetic<TfTensor> {
  /** A number as a tensor, uploaded once. */
  constant(number: number): TfTensor;
  dispose(): void;
}

/** The operations of update rules, whose numbers are uploaded once and kept until `dispose`. */
export function tfArithmetic(tf: Tf): TfArithmetic {
  const constants = new Map<number, TfTensor>();
  const constant = (number: number): TfTensor => {
    const known = constants.get(number);
    if (known) return known;
    const made = tf.keep(tf.scalar(number));
    constants.set(number, made);
    return made;
  };
  const binary = (name: "add" | "sub" | "mul" | "div") => (a: TfTensor, b: TfTensor | number) =>
    tf[name](a, typeof b === "number" ? constant(b) : b);
  return {
    add: binary("add"),
    sub: binary("sub"),
    mul: binary("mul"),
    div: binary("div"),
    sqrt: (a) => tf.sqrt(a),
    constant,
    dispose: () => tf.dispose([...constants.values()]),
  };
}

/** What a batch norm saw in a step. */
export interface Observed {
  readonly node: Node;
  readonly mean: TfTensor;
  readonly variance: TfTensor;
}

/** What a step replaces, all by name. */
export interface Updating {
  readonly tf: Tf;
  readonly math: TfArithmetic;
  readonly variables: ReadonlyMap<string, TfVariable>;
  readonly optimizer: Optimizer;
  readonly average?: WeightAverage;
  /** What multiplies the learning rate. */
  readonly rateFactors?: ReadonlyMap<string, number>;
  /** What no step changes. */
  readonly fixed: ReadonlySet<string>;
}

/** The optimizer's rule for each parameter. @param step counted from 1 */
export function updateParameters(
  { tf, math, variables, optimizer, rateFactors }: Updating,
  gradients: ReadonlyMap<string, TfTensor>,
  rate: number,
  step: number,
): void {
  const whole = tf.scalar(rate);
  const factors = optimizer.factorsAt(step).map((factor) => tf.scalar(factor));
  for (const [name, gradient] of gradients) {
    const parameter = variables.get(name)!;
    const factor = rateFactors?.get(name) ?? 1;
    const learningRate = factor === 1 ? whole : math.mul(whole, factor);
    const slots = optimizer.slots.map((slot) => variables.get(slotName(name, slot))!);
    const next = optimizer.update<TfTensor>(math, { parameter, gradient, slots, learningRate, factors });
    parameter.assign(next.parameter);
    slots.forEach((slot, i) => {
      slot.assign(next.slots[i]);
    });
  }
}

/** Running statistics: m ← momentum · m + (1 − momentum) · observed; the variance keeps the unbiased estimate. */
export function updateStatistics({ math, variables }: Updating, seen: readonly Observed[]): void {
  for (const { node, mean, variance } of seen) {
    const momentum = node.attributes.momentum as number;
    const count = normalizedCount(node, node.inputs[0]!);
    const move = (input: number, observed: TfTensor, correction: number): void => {
      const running = variables.get(node.inputs[input]!.name)!;
      running.assign(math.add(math.mul(running, momentum), math.mul(observed, (1 - momentum) * correction)));
    };
    move(3, mean, 1);
    move(4, variance, count / (count - 1));
  }
}

/** The moving average of every weight and running statistic that steps change. @param step counted from 1 */
export function updateAverages({ tf, math, variables, average, fixed }: Updating, step: number): void {
  if (!average) return;
  const [kept, taken] = averageFactorsAt(average, step).map((factor) => tf.scalar(factor));
  for (const [name, value] of variables) {
    const averaged = variables.get(averageName(name));
    if (averaged && !fixed.has(name)) averaged.assign(moveAverage<TfTensor>(math, { average: averaged, value, kept, taken }));
  }
}
