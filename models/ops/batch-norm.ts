import { ShapeError } from "../../core/errors.ts";
import { zeros } from "../../core/tensor.ts";
import { knownShape } from "../graph/graph.ts";
import { float, int, type OpDefinition, type Operand } from "../graph/op.ts";
import { known, need, needAll } from "../graph/shape.ts";

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
  gradient: (g, { inputs: [x, scale, , mean, variance], attributes: { epsilon }, gradients: [dy] }) =>
    g.addAll("BatchNormGradient", [x, dy, scale, mean, variance], { epsilon }),
};

export const BatchNormGradient: OpDefinition<{ epsilon: number }> = {
  summary:
    "Of BatchNormalization, with σ = √(variance + epsilon), x̂ = (x − mean) / σ: dx = scale / σ · dy, dscale = Σ dy · x̂, dbias = Σ dy, " +
    "dmean = −scale / σ · dbias, dvariance = −scale / (2σ²) · dscale.",
  sinceOpset: undefined,
  attributes: { epsilon: float(1e-5) },
  infer(inputs) {
    const [x, , scale] = needAll(inputs, ["x", "dy", "scale", "mean", "variance"]);
    const vector = { dtype: scale.dtype, shape: scale.shape };
    return [{ dtype: x.dtype, shape: x.shape }, vector, vector, vector, vector];
  },
};

export const BatchMoments: OpDefinition<{ centered: number }> = {
  summary:
    "The mean and the biased variance of each channel of [N, C, …] over everything else: what batch norm normalizes by in training. " +
    "`centered`: its gradient reads x − mean, which is there where BatchNormGradient reads the same x; else x itself.",
  sinceOpset: undefined,
  attributes: { centered: int(0) },
  infer([operand]) {
    const x = need(operand, "X");
    const vector = { dtype: x.dtype, shape: [known(x.shape[1], "the channel axis")] };
    return [vector, vector];
  },
  gradient(g, { inputs: [x], outputs: [mean], attributes: { centered }, gradients: [dmean, dvariance] }) {
    const none = () => g.initializer("none", zeros("float32", knownShape(mean)));
    return [g.add("BatchMomentsGradient", [x, mean, dmean ?? none(), dvariance ?? none()], { centered })];
  },
};

export const BatchMomentsGradient: OpDefinition<{ centered: number }> = {
  summary: "Of BatchMoments with M elements a channel: dx = dmean / M + 2 (x − mean) / M · dvariance.",
  sinceOpset: undefined,
  attributes: { centered: int(0) },
  infer(inputs) {
    const [x, ...vectors] = needAll(inputs, ["x", "mean", "dmean", "dvariance"]);
    needChannels(x, vectors, ["mean", "dmean", "dvariance"]);
    return [{ dtype: x.dtype, shape: x.shape }];
  },
};
