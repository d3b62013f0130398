import { int64 } from "../../core/tensor.ts";
import type { Layer } from "./layer.ts";

/** Keeps a row of zeros from a division by zero. */
const EPSILON = 1e-12;

/** Each row at the same length: x → scale · x / √(Σ x² + 1e-12), [N, D] → [N, D]. */
export const l2Normalize =
  (scale: number): Layer =>
  (x, { graph: g, path, constant }) => {
    const squares = g.add("ReduceSumSquare", [x, constant("axis", int64([1]))], {}, `${path}/squares`);
    const length = g.add("Sqrt", [g.add("Add", [squares, g.scalar(EPSILON)], {}, `${path}/kept`)], {}, `${path}/length`);
    return g.add("Div", [g.add("Mul", [x, g.scalar(scale)], {}, `${path}/scaled`), length], {}, path);
  };
