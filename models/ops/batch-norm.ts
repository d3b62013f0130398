import { ShapeError } from "../../core/errors.ts";
import { float, int, type OpDefinition, type Operand } from "../graph/op.ts";
import { needAll } from "../graph/shape.ts";
import { axesButChannels, perChannel, reduceSum } from "./shared.ts";

function needChannels(x: Operand, vectors: readonly Operand[], names: readonly string[]): void {
  vectors.forEach((vector, i) => {
    if (String(vector.shape) !== String([x.shape[1]]))
      throw new ShapeError(`${names[i]}: expected [${x.shape[1]}], received [${vector.shape}]`);
  });
}

export const BatchNormalization: OpDefinition<{ epsilon: number; momentum: number; training_mode: number }> = {
  summary: "Inference form: (x − mean) / √(variance + epsilon) · scale + bias for each channel of [N, C, …].",
  sinceOpset: 15,
  attributes: { epsilon: float(1e-5), momentum: float(0.9), training_mode: int(0) },
  infer(inputs, { training_mode }) {
    const [x, ...vectors] = needAll(inputs, ["X", "scale", "B", "input_mean", "input_var"]);
    if (training_mode !== 0) throw new ShapeError("training_mode = 1 is not supported in a file: batch statistics are the trainer's part");
    needChannels(x, vectors, ["scale", "B", "input_mean", "input_var"]);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
  /** The statistics are constants: a frozen norm is a scale and a shift. */
  gradient(g, { inputs: [x, scale, , mean, variance], attributes: { epsilon }, gradients: [gradient] }) {
    const dy = gradient!;
    const rank = x.shape.length;
    const deviation = g.add("Sqrt", [g.add("Add", [variance, g.scalar(epsilon)])]);
    const normalized = g.add("Div", [g.add("Sub", [x, perChannel(g, mean, rank)]), perChannel(g, deviation, rank)]);
    return [
      g.add("Mul", [dy, perChannel(g, g.add("Div", [scale, deviation]), rank)]),
      reduceSum(g, g.add("Mul", [dy, normalized]), axesButChannels(rank), false),
      reduceSum(g, dy, axesButChannels(rank), false),
      undefined,
      undefined,
    ];
  },
};

export const BatchNormTraining: OpDefinition<{ epsilon: number }> = {
  summary: "Training form: normalizes each channel by this batch's mean and biased variance → y, mean [C], variance [C].",
  sinceOpset: undefined,
  attributes: { epsilon: float(1e-5) },
  infer(inputs) {
    const [x, ...vectors] = needAll(inputs, ["x", "scale", "bias"]);
    needChannels(x, vectors, ["scale", "bias"]);
    const vector = { dtype: x.dtype, shape: [x.shape[1]] };
    return [{ dtype: x.dtype, shape: x.shape }, vector, vector];
  },
  gradient(g, { inputs: [x, scale], outputs: [, mean, variance], attributes, gradients: [dy] }) {
    return g.addAll("BatchNormGradient", [x, dy, scale, mean, variance], attributes);
  },
};

export const BatchNormGradient: OpDefinition<{ epsilon: number }> = {
  summary: "dx = scale / σ · (dy − mean(dy) − x̂ · mean(dy · x̂)), dscale = Σ dy · x̂, dbias = Σ dy, with x̂ = (x − mean) / σ.",
  sinceOpset: undefined,
  attributes: { epsilon: float(1e-5) },
  infer(inputs) {
    const [x, , scale] = needAll(inputs, ["x", "dy", "scale", "mean", "variance"]);
    const vector = { dtype: scale.dtype, shape: scale.shape };
    return [{ dtype: x.dtype, shape: x.shape }, vector, vector];
  },
};
