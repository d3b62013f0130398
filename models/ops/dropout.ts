import { ShapeError } from "../../core/errors.ts";
import { int, type OpDefinition } from "../graph/op.ts";
import { need } from "../graph/shape.ts";

export const Dropout: OpDefinition<{ seed: number }> = {
  summary:
    "The input itself at inference; the trainer drops a share `ratio` and scales the rest by 1 / (1 − ratio), by noise that it feeds.",
  sinceOpset: 13,
  attributes: { seed: int(0) },
  infer([operand, , mode]) {
    if (mode) throw new ShapeError("its input 'training_mode' is not supported: it drops in training, and never at inference");
    const { dtype, shape } = need(operand, "data");
    return [{ dtype, shape }];
  },
  /** As at inference: in training it is a product with noise, whose gradient is that product's. */
  gradient: (_g, { gradients: [dy] }) => [dy],
};
