import { scalar } from "../../core/tensor.ts";
import type { Layer } from "./layer.ts";

const activation =
  (op: string): Layer =>
  (x, scope) =>
    scope.graph.add(op, [x], {}, scope.path);

export const relu = activation("Relu");
export const sigmoid = activation("Sigmoid");
export const flatten = activation("Flatten");

/** x − ln Σ eˣ over the classes of [N, classes]. */
export const logSoftmax: Layer = (x, scope) => scope.graph.add("LogSoftmax", [x], { axis: 1 }, scope.path);

/** Drops a share `ratio` of the values in training and scales the rest by 1 / (1 − ratio). @see Srivastava et al., "Dropout", 2014 */
export const dropout =
  (ratio: number): Layer =>
  (x, scope) =>
    scope.graph.add("Dropout", [x, scope.constant("ratio", scalar(ratio))], {}, scope.path);
