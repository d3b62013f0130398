export { dropout, flatten, relu, sigmoid } from "./activations.ts";
export { batchNorm } from "./batch-norm.ts";
export { type Conv2dOptions, conv2d } from "./conv2d.ts";
export * as initializers from "./initializers.ts";
export type { Layer, Scope } from "./layer.ts";
export { linear } from "./linear.ts";
export { adaptiveAveragePool2d, averagePool2d, maxPool2d } from "./pool.ts";
export { sequential } from "./sequential.ts";
