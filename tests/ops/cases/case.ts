import { type Random, random } from "../../../core/random.ts";
import { float32, int64, sizeOf, type Tensor, tensor } from "../../../core/tensor.ts";
import type { Attributes } from "../../../models/graph/graph.ts";

/** One small call of an operator. */
export interface Case {
  readonly name: string;
  /** float32 tensors are fed to the graph, others are its initializers, and those that are `held`. */
  readonly inputs: readonly (Tensor | undefined)[];
  /** As a file would give them: defaults left out. */
  readonly attributes: Attributes;
  /** float32 inputs that have no gradient, by the operator's definition or because it is not finite there. */
  readonly fixed: readonly number[];
  /** float32 inputs whose values shapes depend on. */
  readonly held: readonly number[];
}

/** An input of a case, drawn from the case's own stream of random numbers. */
export type Input = (random: Random) => Tensor;

export interface CaseOptions {
  readonly attributes?: Attributes;
  readonly fixed?: readonly number[];
  readonly held?: readonly number[];
}

/** A case whose inputs depend on the operator, the case's name and the input's place only. */
export function makeCase(op: string, name: string, inputs: readonly (Input | undefined)[], options: CaseOptions = {}): Case {
  const stream = random(8).fork(op, name);
  return {
    name,
    inputs: inputs.map((draw, i) => draw?.(stream.fork(i))),
    attributes: options.attributes ?? {},
    fixed: options.fixed ?? [],
    held: options.held ?? [],
  };
}

const drawn =
  (next: (random: Random) => number) =>
  (...shape: number[]): Input =>
  (random) =>
    float32(
      Array.from({ length: sizeOf(shape) }, () => next(random)),
      shape,
    );

export const normal = drawn((random) => random.normal());
/** Uniform on [0.5, 2). */
export const positive = drawn((random) => 0.5 + 1.5 * random.uniform());
/** Uniform on [0.2, 1.5) with either sign: away from the kinks and poles at 0. */
export const nonzero = drawn((random) => (random.integer(2) ? 1 : -1) * (0.2 + 1.3 * random.uniform()));
/** The integers −2 … 2: many are equal. */
export const coarse = drawn((random) => random.integer(5) - 2);

/** Numbers that differ by at least 0.1 from each other and 0.05 from 0: maxima without ties. */
export const distinct =
  (...shape: number[]): Input =>
  (random) => {
    const order = random.permutation(sizeOf(shape));
    return float32(
      Array.from(order, (place) => 0.1 * (place - order.length / 2) + 0.05),
      shape,
    );
  };

export const value =
  (numbers: readonly number[], shape: readonly number[] = [numbers.length]): Input =>
  () =>
    float32(numbers, shape);

/** int64 numbers: a vector, or a scalar where the shape is []. */
export const integers =
  (numbers: readonly number[], shape: readonly number[] = [numbers.length]): Input =>
  () =>
    int64(numbers, shape);

export const booleans =
  (numbers: readonly number[]): Input =>
  () =>
    tensor("bool", [numbers.length], Uint8Array.from(numbers));
