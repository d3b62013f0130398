import { FivecropError } from "../../core/errors.ts";
import type { Layer } from "./layer.ts";

/** Layers one after another. Their names are the record's keys, or their places 0, 1, … as in PyTorch's Sequential. @throws FivecropError for a number as a key. */
export function sequential(layers: readonly Layer[] | Readonly<Record<string, Layer>>): Layer {
  const reordered = Array.isArray(layers) ? undefined : Object.keys(layers).find((name) => /^(0|[1-9]\d*)$/.test(name));
  if (reordered !== undefined)
    throw new FivecropError(
      `sequential: the name '${reordered}' is a number, which JavaScript moves to the front of a record. To fix: give a list, or another name.`,
    );
  return (x, scope) => Object.entries(layers).reduce((value, [name, layer]) => layer(value, scope.child(name)), x);
}
