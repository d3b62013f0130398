import { UsageError } from "../core/errors.ts";
import { lookUp } from "../core/nearest.ts";

/** What an update rule is written in: nodes of a graph, or tensors of another engine. A number stands for itself. */
export interface Arithmetic<T> {
  add(a: T, b: T | number): T;
  sub(a: T, b: T | number): T;
  mul(a: T, b: T | number): T;
  div(a: T, b: T | number): T;
  sqrt(a: T): T;
}

/** An update rule, written once for every engine. */
export interface Optimizer {
  readonly name: string;
  /** As it was made, with defaults filled in. */
  readonly options: Readonly<Record<string, number | boolean>>;
  /** The running tensors kept for each parameter, in its shape, zero at the start. */
  readonly slots: readonly string[];
  /** Numbers that depend on the step alone (1 for the first), computed in float64 and fed. */
  readonly factors: readonly string[];
  factorsAt(step: number): readonly number[];
  update<T>(
    math: Arithmetic<T>,
    at: {
      readonly parameter: T;
      readonly gradient: T;
      readonly slots: readonly T[];
      readonly learningRate: T;
      readonly factors: readonly T[];
    },
  ): { readonly parameter: T; readonly slots: readonly T[] };
}

const NO_FACTORS = { factors: [], factorsAt: () => [] } as const;

export interface SgdOptions {
  /** In [0, 1). */
  readonly momentum?: number;
  readonly nesterov?: boolean;
  /** λ of the L2 penalty, ≥ 0: the gradient becomes g + λ · p. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent as in PyTorch: v ← μ · v + g, p ← p − η · v; with Nesterov p ← p − η · (g + μ · v).
 * @throws UsageError
 * @see Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013
 */
export function sgd({ momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {}): Optimizer {
  inRange("momentum", momentum, 0, 1);
  notNegative("weight decay", weightDecay);
  if (nesterov && momentum === 0)
    throw new UsageError("Nesterov's rule needs a momentum above 0, received 0. To fix: set a momentum, such as 0.9.");
  return {
    name: "sgd",
    options: { momentum, nesterov, weightDecay },
    slots: momentum ? ["velocity"] : [],
    ...NO_FACTORS,
    update(math, { parameter, gradient, slots, learningRate }) {
      const g = weightDecay ? math.add(gradient, math.mul(parameter, weightDecay)) : gradient;
      if (!momentum) return { parameter: math.sub(parameter, math.mul(g, learningRate)), slots };
      const velocity = math.add(math.mul(slots[0], momentum), g);
      const direction = nesterov ? math.add(g, math.mul(velocity, momentum)) : velocity;
      return { parameter: math.sub(parameter, math.mul(direction, learningRate)), slots: [velocity] };
    },
  };
}

export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  readonly weightDecay?: number;
}

/** Adam and AdamW differ only in where the weight decay goes. */
const adamLike =
  (name: string, decoupled: boolean, defaultDecay: number) =>
  ({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = defaultDecay }: AdamOptions = {}): Optimizer => {
    inRange("beta1", beta1, 0, 1);
    inRange("beta2", beta2, 0, 1);
    notNegative("epsilon", epsilon);
    notNegative("weight decay", weightDecay);
    return {
      name,
      options: { beta1, beta2, epsilon, weightDecay },
      slots: ["first-moment", "second-moment"],
      factors: ["first-correction", "second-correction"],
      factorsAt: (step) => [1 - beta1 ** step, Math.sqrt(1 - beta2 ** step)],
      update(math, { parameter: p, gradient, slots: [m, v], learningRate, factors: [correction1, correction2] }) {
        const g = weightDecay && !decoupled ? math.add(gradient, math.mul(p, weightDecay)) : gradient;
        const decayed = weightDecay && decoupled ? math.sub(p, math.mul(math.mul(p, weightDecay), learningRate)) : p;
        const first = math.add(math.mul(m, beta1), math.mul(g, 1 - beta1));
        const second = math.add(math.mul(v, beta2), math.mul(math.mul(g, g), 1 - beta2));
        const deviation = math.add(math.div(math.sqrt(second), correction2), epsilon);
        const step = math.mul(math.div(first, deviation), math.div(learningRate, correction1));
        return { parameter: math.sub(decayed, step), slots: [first, second] };
      },
    };
  };

/** m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − η · m̂ / (√v̂ + ε). Weight decay adds λ · p to g. @see Kingma and Ba, "Adam", 2015 */
export const adam = adamLike("adam", false, 0);

/** Adam whose weight decay, 0.01 where left out, takes η · λ · p from p directly. @see Loshchilov and Hutter, "Decoupled weight decay regularization", 2019 */
export const adamw = adamLike("adamw", true, 0.01);

export interface OptimizerOptions extends SgdOptions, AdamOptions {}

export const OPTIMIZERS = { sgd, adam, adamw } as const satisfies Readonly<Record<string, (options: OptimizerOptions) => Optimizer>>;

/** @throws UsageError for an unknown name, or an option out of range. */
export const createOptimizer = (name: string, options: OptimizerOptions = {}): Optimizer => lookUp("optimizer", OPTIMIZERS, name)(options);

function inRange(what: string, value: number, from: number, below: number): void {
  if (!(value >= from && value < below))
    throw new UsageError(`${what}: expected a number from ${from} to below ${below}, received ${value}.`);
}

function notNegative(what: string, value: number): void {
  if (!(value >= 0 && Number.isFinite(value))) throw new UsageError(`${what}: expected a number of at least 0, received ${value}.`);
}
