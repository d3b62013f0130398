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

/** The mean and the biased (population) variance of each channel. */
export const BatchMoments: ReferenceFunction = (inputs) => {
  const [x] = required(inputs, 1);
  const channel = channelOf(x);
  const mean = channelMeans(x, (i) => x.data[i]);
  const variance = channelMeans(x, (i) => (x.data[i] - mean[channel(i)]) ** 2);
  return [array64([x.shape[1]], mean), array64([x.shape[1]], variance)];
};

/** ∂mean/∂x(i) = 1/M and ∂variance/∂x(i) = 2 (x(i) − mean) / M, of M elements a channel. */
export const BatchMomentsGradient: ReferenceFunction = (inputs) => {
  const [x, mean, dmean, dvariance] = required(inputs, 4);
  const channel = channelOf(x);
  const count = x.data.length / x.shape[1];
  return [like(x, (i) => (dmean.data[channel(i)] + 2 * (x.data[i] - mean.data[channel(i)]) * dvariance.data[channel(i)]) / count)];
};

/** y = (x − mean) · scale / σ + bias, differentiated in each of its five inputs. */
export const BatchNormGradient: ReferenceFunction = (inputs, attributes) => {
  const [x, dy, scale, mean, variance] = required(inputs, 5);
  const epsilon = number(attributes, "epsilon", 1e-5);
  const channel = channelOf(x);
  const count = x.data.length / x.shape[1];
  const sums = (f: (i: number) => number) => channelMeans(x, f).map((value) => value * count);
  const sigma = like(scale, (c) => Math.sqrt(variance.data[c] + epsilon)).data;
  const sumDy = sums((i) => dy.data[i]);
  const sumProduct = sums((i) => dy.data[i] * (x.data[i] - mean.data[channel(i)]));
  return [
    like(x, (i) => (dy.data[i] * scale.data[channel(i)]) / sigma[channel(i)]),
    like(scale, (c) => sumProduct[c] / sigma[c]),
    like(scale, (c) => sumDy[c]),
    like(scale, (c) => (-scale.data[c] / sigma[c]) * sumDy[c]),
    like(scale, (c) => (-scale.data[c] / (2 * sigma[c] ** 3)) * sumProduct[c]),
  ];
};
