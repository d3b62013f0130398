import { FivecropError } from "../../core/errors.ts";
import { knownShape, type Node, type Value } from "../../models/graph/graph.ts";

/**
 * How many numbers of x a batch norm normalizes over in each channel.
 * @throws FivecropError where it is a single one.
 */
export function normalizedCount(node: Node, x: Value): number {
  const shape = knownShape(x);
  const count = shape.reduce((size, d) => size * d, 1) / shape[1];
  if (count > 1) return count;
  throw new FivecropError(
    `node '${node.name}' (BatchNormalization) would normalize over one value: its input is [${shape}]. ` +
      "To fix: choose a batch size that leaves no last batch of a single image.",
  );
}
