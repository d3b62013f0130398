import { FivecropError } from "../core/errors.ts";
import { type DType, numbersOf, sizeOf, type Tensor, zeros } from "../core/tensor.ts";
import { type Dimension, factorOf, isOfBatch, ofBatch } from "../models/graph/graph.ts";

/** A number that is known before anything runs, or known but for the batch: "N", "12N". */
export type Element = Dimension;

/** A tensor that a file computes and that is known before anything runs: shape arithmetic, constants in another form. */
export interface Known {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly elements: ArrayLike<Element>;
}

/** a · b. @returns undefined where both are multiples of the batch. */
export function times(a: Element, b: Element): Element | undefined {
  if (!isOfBatch(a)) return isOfBatch(b) ? times(b, a) : a * b;
  if (isOfBatch(b)) return undefined;
  return b === 0 ? 0 : ofBatch(factorOf(a) * b);
}

/** a / b, of integers the part before the point. @returns undefined where it depends on the batch in another way than by a factor. */
export function over(a: Element, b: Element, whole: boolean): Element | undefined {
  if (isOfBatch(a) && isOfBatch(b)) return factorOf(a) / factorOf(b);
  if (isOfBatch(b)) return undefined;
  if (!isOfBatch(a)) return whole ? Math.trunc(a / b) : a / b;
  const factor = factorOf(a) / b;
  return whole && !Number.isInteger(factor) ? undefined : ofBatch(factor);
}

/** a + b. @returns undefined for a number besides a multiple of the batch. */
export function plus(a: Element, b: Element): Element | undefined {
  if (a === 0) return b;
  if (b === 0) return a;
  if (!isOfBatch(a) && !isOfBatch(b)) return a + b;
  if (!isOfBatch(a) || !isOfBatch(b)) return undefined;
  const factor = factorOf(a) + factorOf(b);
  return factor === 0 ? 0 : ofBatch(factor);
}

export const knownOf = (t: Tensor): Known => ({
  dtype: t.dtype,
  shape: t.shape,
  elements: t.data instanceof BigInt64Array ? numbersOf(t) : t.data,
});

const LARGEST = 2n ** 63n - 1n;

/** As a tensor. @throws FivecropError where an element depends on the batch. */
export function tensorOf({ dtype, shape, elements }: Known): Tensor {
  if (elements instanceof Float32Array && dtype === "float32") return { dtype, shape, data: elements };
  if (Array.from(elements).some(isOfBatch))
    throw new FivecropError(
      `[${Array.from(elements)}] depends on the batch, N, which is not known before it runs. ` +
        "To fix: export the model for a batch of 1, which is freed where nothing else depends on it.",
    );
  const result = zeros(dtype, shape);
  const { data } = result;
  for (let i = 0; i < data.length; i++) data[i] = data instanceof BigInt64Array ? bigIntOf(Number(elements[i])) : Number(elements[i]);
  return result;
}

/** The ends of int64 are no float64: what is rounded up to 2⁶³ is the largest. */
function bigIntOf(value: number): bigint {
  const integer = BigInt(Math.trunc(value));
  return integer > LARGEST ? LARGEST : integer;
}

/** @throws FivecropError where the number of elements is not the shape's. */
export function known(dtype: DType, shape: readonly number[], elements: ArrayLike<Element>): Known {
  if (elements.length !== sizeOf(shape)) throw new FivecropError(`${elements.length} elements are no [${shape}]`);
  return { dtype, shape, elements };
}
