import { FivecropError } from "../../core/errors.ts";
import { float32 } from "../../core/tensor.ts";
import { knownChannels } from "./channels.ts";
import type { Layer } from "./layer.ts";

/**
 * For gray and for colour: the eigenvectors of the covariance of 2×2 patches, each divided by √(its eigenvalue + 0.0005), so that their responses have
 * variance 1 and no correlation. A row is one filter, [C, 2, 2]. Of all patches of Fashion-MNIST's and of CIFAR-10's training images, normalized.
 */
export const WHITENING_FILTERS: Readonly<Record<number, readonly (readonly number[])[]>> = {
  1: [
    [0.2627, 0.2634, 0.2634, 0.2625],
    [-0.9909, 0.893, -0.8942, 0.9928],
    [1.119, 1.243, -1.243, -1.12],
    [2.51, -2.502, -2.499, 2.505],
  ],
  3: [
    [0.08968, 0.08965, 0.0892, 0.08914, 0.09423, 0.0942, 0.09342, 0.09336, 0.09021, 0.09018, 0.08942, 0.08936],
    [-0.3836, -0.3837, -0.3874, -0.3873, -0.003062, -0.003162, -0.008992, -0.008963, 0.3941, 0.394, 0.3863, 0.3862],
    [-0.4871, -0.4735, 0.451, 0.4648, -0.4672, -0.4535, 0.4865, 0.5003, -0.4358, -0.4236, 0.422, 0.4344],
    [-0.5036, 0.5181, -0.5187, 0.504, -0.5149, 0.531, -0.5293, 0.515, -0.4604, 0.4738, -0.4733, 0.4594],
    [-0.4877, -0.4893, -0.5204, -0.5214, 0.9613, 0.9596, 0.9293, 0.928, -0.4688, -0.4699, -0.4992, -0.4995],
    [-1.252, 1.25, 1.238, -1.238, -1.265, 1.266, 1.274, -1.274, -1.143, 1.143, 1.15, -1.151],
    [-2.791, -2.754, 2.764, 2.806, 0.3664, 0.3614, -0.3666, -0.3693, 2.643, 2.601, -2.622, -2.662],
    [2.964, -3.01, 3.025, -2.978, -0.3608, 0.3679, -0.3523, 0.3435, -2.871, 2.912, -2.889, 2.85],
    [-2.585, -2.477, 2.468, 2.575, 5.697, 5.472, -5.47, -5.693, -3.508, -3.38, 3.377, 3.51],
    [2.676, -2.781, 2.787, -2.684, -5.749, 5.984, -5.96, 5.729, 3.481, -3.63, 3.646, -3.499],
    [-7.833, 7.832, 7.843, -7.842, 0.8701, -0.8733, -0.8893, 0.892, 7.529, -7.525, -7.54, 7.537],
    [-5.66, 5.659, 5.653, -5.653, 12.13, -12.13, -12.15, 12.15, -7.301, 7.301, 7.309, -7.311],
  ],
};

/**
 * A convolution that makes neighbouring pixels and channels uncorrelated: [N, C, H, W] → [N, 8 C, H − 1, W − 1], each filter and its negative, so that a
 * relu behind it loses nothing. Its weights are fixed, so that no gradient goes through the largest maps.
 * @throws FivecropError for images that are neither gray nor colour.
 * @see Page, "How to train your ResNet 8: bag of tricks", 2019; Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024
 */
export const patchWhitening: Layer = (x, scope) => {
  const channels = knownChannels(x);
  const rows = WHITENING_FILTERS[channels];
  if (!rows) throw new FivecropError(`patch whitening: expected images of 1 or 3 channels, received ${channels}`);
  const filters = [...rows, ...rows.map((row) => row.map((weight) => -weight))];
  const weight = scope.constant("weight", float32(Float32Array.from(filters.flat()), [filters.length, channels, 2, 2]));
  const attributes = { kernel_shape: [2, 2], strides: [1, 1], pads: [0, 0, 0, 0], dilations: [1, 1], group: 1 };
  return scope.graph.add("Conv", [x, weight], attributes, scope.path);
};
