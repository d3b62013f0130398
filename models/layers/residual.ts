import type { Layer } from "./layer.ts";

/** relu(branch(x) + shortcut(x)), the shortcut x itself where it is left out. Both name their weights from the block's own scope. @see He et al., "Deep residual learning", 2015 */
export const residual =
  (branch: Layer, shortcut?: Layer): Layer =>
  (x, scope) => {
    const y = branch(x, scope);
    const sum = scope.graph.add("Add", [y, shortcut ? shortcut(x, scope) : x], {}, `${scope.path}/add`);
    return scope.graph.add("Relu", [sum], {}, scope.path);
  };
