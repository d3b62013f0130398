import type { Layer } from "./layer.ts";

/** Layers one after another. Their names are the record's keys, or their places 0, 1, … as in PyTorch's Sequential. */
export function sequential(layers: readonly Layer[] | Readonly<Record<string, Layer>>): Layer {
  return (x, scope) => Object.entries(layers).reduce((value, [name, layer]) => layer(value, scope.child(name)), x);
}
