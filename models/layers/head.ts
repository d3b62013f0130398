import { UsageError } from "../../core/errors.ts";
import { dropout, relu } from "./activations.ts";
import type { Initializer } from "./initializers.ts";
import type { Layer } from "./layer.ts";
import { linear } from "./linear.ts";
import { sequential } from "./sequential.ts";

/** What a classifier puts between its features and its last linear layer, as plain JSON. */
export interface Head {
  /** Units of each hidden layer; none: the last layer reads the features. */
  readonly hidden: readonly number[];
  /** The share that training drops behind each hidden layer's relu, in [0, 1); left out, there is no dropout. */
  readonly dropout?: number;
}

export interface LinearOptions {
  readonly weight?: Initializer;
  readonly bias?: Initializer;
}

/**
 * Hidden layers (linear, relu, dropout) and the last linear layer: [N, D] → [N, classes].
 * @throws UsageError for units or a share out of range, or dropout without a hidden layer.
 */
export function headLayers(classes: number, { hidden, dropout: share }: Head, options: LinearOptions = {}): Layer[] {
  const unfit = hidden.find((units) => !Number.isInteger(units) || units < 1);
  if (unfit !== undefined) throw new UsageError(`head: expected whole numbers of units of at least 1, received ${unfit}.`);
  if (share !== undefined && !(share >= 0 && share < 1))
    throw new UsageError(`dropout: expected a number from 0 up to, but not including, 1, received ${share}.`);
  if (share !== undefined && !hidden.length)
    throw new UsageError(`dropout: it stands behind hidden layers, and the head has none. To fix: name their units, such as 512,256.`);
  const behind = share ? [relu, dropout(share)] : [relu];
  return [...hidden.flatMap((units) => [linear(units, options), ...behind]), linear(classes, options)];
}

/** The same as one layer: a linear layer itself, or a sequence. */
export function head(classes: number, wanted: Head, options: LinearOptions = {}): Layer {
  const layers = headLayers(classes, wanted, options);
  return layers.length === 1 ? layers[0] : sequential(layers);
}
