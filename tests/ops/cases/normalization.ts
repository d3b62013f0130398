import type { Attributes } from "../../../models/graph/graph.ts";
import { type Case, makeCase, normal } from "./case.ts";

const layer = (name: string, shape: readonly number[], normalized: readonly number[], attributes?: Attributes, bias = true): Case =>
  makeCase("LayerNormalization", name, [normal(...shape), normal(...normalized), ...(bias ? [normal(...normalized)] : [])], { attributes });

export const LayerNormalization = [
  layer("tokens", [2, 3, 5], [5]),
  layer("without a bias", [2, 3, 5], [5], { epsilon: 1e-6 }, false),
  layer("images, channels last", [2, 2, 3, 4], [4]),
  layer("features", [3, 6], [6], { axis: 1 }),
  layer("over three axes", [2, 3, 2, 2], [3, 2, 2], { axis: 1, epsilon: 0.1 }),
  layer("over two axes from behind", [2, 2, 3], [2, 3], { axis: -2 }),
];

const instance = (name: string, shape: readonly number[], attributes?: Attributes): Case =>
  makeCase("InstanceNormalization", name, [normal(...shape), normal(shape[1]), normal(shape[1])], { attributes });

export const InstanceNormalization = [
  instance("images", [2, 3, 3, 2]),
  instance("a large epsilon", [2, 2, 2, 2], { epsilon: 0.5 }),
  instance("1-D", [2, 2, 5]),
];

const lrn = (name: string, shape: readonly number[], attributes: Attributes): Case =>
  makeCase("LRN", name, [normal(...shape)], { attributes });

export const LRN = [
  lrn("AlexNet's", [2, 7, 2, 3], { size: 5, alpha: 1e-4, beta: 0.75, bias: 2 }),
  lrn("strong", [2, 6, 2, 2], { size: 3, alpha: 0.9, beta: 0.5, bias: 1.5 }),
  lrn("a window larger than the channels", [1, 2, 2, 2], { size: 5, alpha: 1, beta: 1.2, bias: 0.7 }),
  lrn("one channel", [2, 3, 2, 2], { size: 1, alpha: 0.5 }),
];
