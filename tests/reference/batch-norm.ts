import { sizeOf } from "../../core/tensor.ts";
import { type Array64, array64, like, number, type ReferenceFunction, required } from "./array.ts";

/** Of each element of [N, C, …], by its flat index: its channel. */
const channelOf = ({ shape }: Array64): ((i: number) => number) => {
  const pixels = sizeOf(shape.slice(2));
  return (i) => Math.floor(i / pixels) % shape[1];
};

/** The mean over each channel of a function of each element. */
function channelMeans(x: Array64, f: (i: number) => number): Float64Array {
  const means = new Float64Array(x.shape[1]);
  const channel = channelOf(x);
  const count = x.data.length / means.length;
  for (let i = 0; i < x.data.length; i++) means[channel(i)] += f(i) / count;
  return means;
}

/** (x − mean) / √(variance + epsilon) */
function normalized(x: Array64, mean: Float64Array, variance: Float64Array, epsilon: number): Array64 {
  const channel = channelOf(x);
  return like(x, (i) => (x.data[i] - mean[channel(i)]) / Math.sqrt(variance[channel(i)] + epsilon));
}

export const BatchNormalization: ReferenceFunction = (inputs, attributes) => {
  const [x, scale, bias, mean, variance] = required(inputs, 5);
  const channel = channelOf(x);
  const standard = normalized(x, mean.data, variance.data, number(attributes, "epsilon", 1e-5));
  return [like(x, (i) => standard.data[i] * scale.data[channel(i)] + bias.data[channel(i)])];
};

/** The statistics are the batch's own: its mean and its biased (population) variance. */
export const BatchNormTraining: ReferenceFunction = (inputs, attributes) => {
  const [x, scale, bias] = required(inputs, 3);
  const channel = channelOf(x);
  const mean = channelMeans(x, (i) => x.data[i]);
  const variance = channelMeans(x, (i) => (x.data[i] - mean[channel(i)]) ** 2);
  const standard = normalized(x, mean, variance, number(attributes, "epsilon", 1e-5));
  const y = like(x, (i) => standard.data[i] * scale.data[channel(i)] + bias.data[channel(i)]);
  return [y, array64([x.shape[1]], mean), array64([x.shape[1]], variance)];
};

/**
 * With x̂ = (x − mean) / σ of M elements a channel, ∂x̂(j)/∂x(i) = ([i = j] − 1/M − x̂(i) x̂(j) / M) / σ, hence
 * dx = scale / σ · (dy − mean(dy) − x̂ · mean(dy · x̂)), dscale = Σ dy · x̂, dbias = Σ dy.
 */
export const BatchNormGradient: ReferenceFunction = (inputs, attributes) => {
  const [x, dy, scale, mean, variance] = required(inputs, 5);
  const epsilon = number(attributes, "epsilon", 1e-5);
  const channel = channelOf(x);
  const standard = normalized(x, mean.data, variance.data, epsilon);
  const meanDy = channelMeans(x, (i) => dy.data[i]);
  const meanProduct = channelMeans(x, (i) => dy.data[i] * standard.data[i]);
  const dx = like(x, (i) => {
    const c = channel(i);
    return (scale.data[c] / Math.sqrt(variance.data[c] + epsilon)) * (dy.data[i] - meanDy[c] - standard.data[i] * meanProduct[c]);
  });
  const count = x.data.length / x.shape[1];
  return [dx, like(scale, (c) => meanProduct[c] * count), like(scale, (c) => meanDy[c] * count)];
};
