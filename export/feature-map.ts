import { FivecropError, UsageError } from "../core/errors.ts";
import { nearestNames } from "../core/nearest.ts";
import type { Graph, Value } from "../models/graph/graph.ts";
import { neededFor } from "../models/graph/needed.ts";
import { printType } from "../models/graph/print.ts";

/** They make a map of features of an image or of a map. */
const MAKES_MAPS = new Set(["Conv", "ConvTranspose", "AveragePool", "MaxPool"]);
/** What they make has its axes or pixels in other places: it lies on the picture no more. */
const MOVES = new Set(["Transpose", "Reshape", "Flatten", "Expand", "Squeeze", "Unsqueeze", "Gather", "Slice", "Split"]);

const hasPixels = ({ dtype, shape }: Value): boolean =>
  dtype === "float32" && shape.length === 4 && Number(shape[1]) > 0 && Number(shape[2]) * Number(shape[3]) > 1;

/** The maps of features [N, C, h, w] with more than one pixel that a value depends on, in execution order. */
function featureMaps({ nodes }: Graph, wanted: Value): readonly Value[] {
  const needed = neededFor(nodes, [wanted]);
  const maps = new Set<Value>();
  for (const { op, inputs, outputs } of nodes)
    if (MAKES_MAPS.has(op) || (!MOVES.has(op) && inputs.some((value) => value && maps.has(value))))
      for (const value of outputs) if (hasPixels(value) && needed.has(value)) maps.add(value);
  return [...maps];
}

/**
 * The last map of features [N, C, h, w] before its pixels are pooled or flattened away: of all values of rank 4 with more than one pixel that convolutions
 * and pools make, and operators that keep pixels in their places, the last in execution order on which the logits depend.
 * @param layer another one, by the name of its node or value
 * @throws FivecropError where there is none. UsageError where none has this name.
 */
export function findFeatureMap(graph: Graph, logits: Value, { layer, file }: { readonly layer?: string; readonly file: string }): Value {
  const maps = featureMaps(graph, logits);
  const last = maps.at(-1);
  if (!last)
    throw new FivecropError(
      `${file}: expected a map of features [N, C, h, w] with more than one pixel, made by a convolution or a pool, found none: ` +
        "Grad-CAM has nothing to lay over the picture.",
    );
  if (layer === undefined) return last;
  const named = graph.nodes.find(({ name, outputs }) => name === layer || outputs.some((value) => value.name === layer));
  const found = named?.outputs.find((value) => value.name === layer) ?? named?.outputs[0];
  if (found && maps.includes(found)) return found;
  const names = maps.map(({ name }) => name);
  if (found)
    throw new UsageError(
      `${file}: layer '${layer}' is ${printType(found)}, expected a map of features [N, C, h, w] with more than one pixel on the way to the answer, such as '${last.name}'.`,
    );
  const near = nearestNames(layer, names);
  throw new UsageError(
    `${file}: layer: there is no node '${layer}'. ${near.length ? `The nearest names are ${near.map((name) => `'${name}'`).join(", ")}` : `The last map of features is '${last.name}'`}; fivecrop inspect shows all of them.`,
  );
}
