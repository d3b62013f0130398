import { type DType, sizeOf, type Tensor } from "../core/tensor.ts";
import { type Attribute, isOfBatch, type ValueType } from "../models/graph/graph.ts";
import { broadcast } from "../models/graph/shape.ts";
import { dtypeOf } from "./data-types.ts";
import { MOVEMENTS } from "./fold-movement.ts";
import { type Element, type Known, known, over, plus, times } from "./known.ts";

/** A node all of whose inputs are known. */
export interface FoldSite {
  readonly inputs: readonly (Known | undefined)[];
  readonly attributes: Readonly<Record<string, Attribute | undefined>>;
}

/** @returns undefined where the result is not known without the batch's number. */
export type Fold = (site: FoldSite) => Known | undefined;

/** Arithmetic is folded up to this many elements: shapes and masks, not weights. */
const MOST_ELEMENTS = 4096;

/** Index of each element of a shape in a tensor that is broadcast to it. */
function broadcastIndices(from: readonly number[], to: readonly number[]): number[] {
  const lead = to.length - from.length;
  return Array.from({ length: sizeOf(to) }, (_, flat) => {
    let rest = flat;
    let index = 0;
    let stride = 1;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const at = rest % to[axis];
      rest = Math.floor(rest / to[axis]);
      if (axis < lead) continue;
      const size = from[axis - lead];
      if (size !== 1) index += at * stride;
      stride *= size;
    }
    return index;
  });
}

const all = (elements: readonly (Element | undefined)[]): elements is readonly Element[] => elements.every((e) => e !== undefined);

function elementwise(combine: (values: readonly Element[], dtype: DType) => Element | undefined, result?: DType): Fold {
  return ({ inputs }) => {
    const given = inputs.filter((input) => input !== undefined);
    const shape = given.map((input) => input.shape).reduce((a, b) => broadcast(a, b) as number[]);
    if (sizeOf(shape) > MOST_ELEMENTS) return undefined;
    const indices = given.map((input) => broadcastIndices(input.shape, shape));
    const elements = indices[0].map((_, i) =>
      combine(
        given.map((input, at) => input.elements[indices[at][i]]),
        given[given.length - 1].dtype,
      ),
    );
    return all(elements) ? known(result ?? given[given.length - 1].dtype, shape, elements) : undefined;
  };
}

const isWhole = (dtype: DType): boolean => dtype !== "float32" && dtype !== "float64";
/** Of numbers only; one that depends on the batch has no such answer. */
const numeric =
  (compute: (...numbers: number[]) => number) =>
  (values: readonly Element[]): Element | undefined =>
    values.some(isOfBatch) ? undefined : compute(...values.map(Number));
/** A batch is at least 1: a multiple of it is above every number that is not positive. */
function compare(a: Element, b: Element): number | undefined {
  if (!isOfBatch(a) && !isOfBatch(b)) return Math.sign(a - b);
  if (a === b) return 0;
  if (!isOfBatch(a) && a <= 0) return -1;
  return !isOfBatch(b) && b <= 0 ? 1 : undefined;
}
const comparison = (holds: (sign: number) => boolean): Fold =>
  elementwise(([a, b]) => {
    const sign = compare(a, b);
    return sign === undefined ? undefined : Number(holds(sign));
  }, "bool");

const product = (elements: readonly Element[]): Element | undefined =>
  elements.reduce<Element | undefined>((result, element) => (result === undefined ? undefined : times(result, element)), 1);

const constantOfShape: Fold = ({ inputs: [shape], attributes: { value } }) => {
  if (!shape) return undefined;
  const sizes = Array.from(shape.elements);
  if (sizes.some(isOfBatch) || sizeOf(sizes as number[]) > MOST_ELEMENTS) return undefined;
  const filling = typeof value === "object" && "dtype" in value ? (value as Tensor) : undefined;
  const elements = Array<number>(sizeOf(sizes as number[])).fill(Number(filling?.data[0] ?? 0));
  return known(filling?.dtype ?? "float32", sizes as number[], elements);
};

const range: Fold = ({ inputs }) => {
  const numbers = inputs.map((input) => input?.elements[0]);
  if (!numbers.every((n) => typeof n === "number")) return undefined;
  const [start, limit, delta] = numbers;
  const length = Math.max(0, Math.ceil((limit - start) / delta));
  return length > MOST_ELEMENTS
    ? undefined
    : known(
        inputs[0]!.dtype,
        [length],
        Array.from({ length }, (_, i) => start + i * delta),
      );
};

const cast: Fold = ({ inputs: [x], attributes: { to } }) => {
  const dtype = dtypeOf(Number(to));
  if (!x || !dtype) return undefined;
  if (x.dtype === dtype) return x;
  const whole = isWhole(dtype);
  const elements = Array.from(x.elements, (e) => (isOfBatch(e) ? e : dtype === "bool" ? Number(e !== 0) : whole ? Math.trunc(e) : e));
  return known(dtype, x.shape, elements);
};

/** ReduceProd of a list: the number of elements of a shape. */
const reduceProduct: Fold = ({ inputs: [x], attributes: { keepdims = 1 } }) => {
  if (x?.shape.length !== 1) return undefined;
  const result = product(Array.from(x.elements));
  return result === undefined ? undefined : known(x.dtype, keepdims === 1 ? [1] : [], [result]);
};

/** What can be known of an operator's result before anything runs. Float arithmetic on weights is left to the runtime. */
const FOLDS: Readonly<Record<string, Fold>> = {
  ...MOVEMENTS,
  Add: elementwise(([a, b]) => plus(a, b)),
  And: elementwise(numeric((a, b) => a & b)),
  Cast: cast,
  Ceil: elementwise(numeric(Math.ceil)),
  ConstantOfShape: constantOfShape,
  Div: elementwise(([a, b], dtype) => over(a, b, isWhole(dtype))),
  Equal: comparison((sign) => sign === 0),
  Floor: elementwise(numeric(Math.floor)),
  Greater: comparison((sign) => sign > 0),
  GreaterOrEqual: comparison((sign) => sign >= 0),
  Less: comparison((sign) => sign < 0),
  LessOrEqual: comparison((sign) => sign <= 0),
  Max: elementwise(numeric(Math.max)),
  Min: elementwise(numeric(Math.min)),
  Mod: elementwise(numeric((a, b) => ((a % b) + b) % b)),
  Mul: elementwise(([a, b]) => times(a, b)),
  Neg: elementwise(([a]) => times(a, -1)),
  Not: elementwise(numeric((a) => 1 - a)),
  Or: elementwise(numeric((a, b) => a | b)),
  Range: range,
  ReduceProd: reduceProduct,
  Sqrt: elementwise(numeric(Math.sqrt)),
  Sub: elementwise(([a, b]) => {
    const negative = times(b, -1);
    return negative === undefined ? undefined : plus(a, negative);
  }),
  Where: elementwise(([condition, a, b]) => (isOfBatch(condition) ? undefined : condition ? a : b)),
};

/** The shape of a value as numbers that are known, but for the batch. */
export function foldShape(
  { shape }: ValueType,
  { start = 0, end = shape.length }: { readonly start?: number; readonly end?: number },
): Known {
  const part = shape.slice(start, end);
  return known("int64", [part.length], part);
}

/** The number of a value's elements. @returns undefined where the batch is in it more than once. */
export function foldSize({ shape }: ValueType): Known | undefined {
  const size = product(shape);
  return size === undefined ? undefined : known("int64", [], [size]);
}

/**
 * The result of a node whose inputs are known.
 * @returns undefined where the operator is none of shape arithmetic, or its result needs the batch's number.
 */
export function fold(op: string, site: FoldSite): Known | undefined {
  if (!Object.hasOwn(FOLDS, op) || site.inputs.length === 0) return undefined;
  return FOLDS[op](site);
}
