import { float32, int64 } from "../../core/tensor.ts";
import type { GraphBuilder } from "../../models/graph/builder.ts";
import type { Value } from "../../models/graph/graph.ts";

/** What an elementwise rule is applied to. */
export interface Operands {
  /** Whose they are. */
  readonly name: string;
  /** Of one shape, which the rule's results have as well. */
  readonly values: readonly Value[];
  readonly numbers?: readonly number[];
}

export type ElementwiseRule = (values: readonly Value[], numbers: readonly Value[]) => readonly Value[];

/** A vector of up to so many numbers costs less to copy than nodes of its own. */
const SMALL = 4096;
/** Copying in and out is as many nodes as a rule or two. */
const FEWEST = 3;

/**
 * Applies a rule to each: to small vectors (biases, scales and shifts of norms, running statistics) at once, one behind the other, and to everything else alone.
 * The results are the same to the bit.
 * @param about what the nodes are called, behind the name
 * @param join whether vectors may be joined
 * @returns the rule's results, in the order of `each`
 */
export function applyToEach(
  g: GraphBuilder,
  about: string,
  each: readonly Operands[],
  join: boolean,
  rule: ElementwiseRule,
): readonly (readonly Value[])[] {
  const small = join ? each.filter(({ values: [{ shape }] }) => shape.length === 1 && Number(shape[0]) <= SMALL) : [];
  const joined = small.length < FEWEST ? undefined : g.within(`vectors.${about}`, () => applyToAll(g, small, rule));
  return each.map((one) => {
    const { name, values, numbers = [] } = one;
    const constants = () => numbers.map((number) => g.scalar(number));
    return joined?.get(one) ?? g.within(`${name}.${about}`, () => rule(values, constants()));
  });
}

function applyToAll(g: GraphBuilder, each: readonly Operands[], rule: ElementwiseRule): ReadonlyMap<Operands, readonly Value[]> {
  const lengths = each.map(({ values: [{ shape }] }) => Number(shape[0]));
  const [first] = each;
  const values = first.values.map((_, i) =>
    g.add(
      "Concat",
      each.map((one) => one.values[i]),
      { axis: 0 },
    ),
  );
  const numbers = (first.numbers ?? []).map((_, i) =>
    constant(
      g,
      each.map((one) => one.numbers![i]),
      lengths,
    ),
  );
  const parts = rule(values, numbers).map((value) => g.addAll("Split", [value, g.initializer("lengths", int64(lengths))], { axis: 0 }));
  return new Map(each.map((one, k) => [one, parts.map((part) => part[k])]));
}

/** Each number as many times as its vector is long; a scalar where all are the same. */
function constant(g: GraphBuilder, numbers: readonly number[], lengths: readonly number[]): Value {
  if (numbers.every((number) => number === numbers[0])) return g.scalar(numbers[0]);
  return g.initializer("numbers", float32(numbers.flatMap((number, k) => Array<number>(lengths[k]).fill(number))));
}
