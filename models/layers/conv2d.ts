import { knownChannels } from "./channels.ts";
import { type Initializer, uniform, uniformFanIn } from "./initializers.ts";
import type { Layer } from "./layer.ts";

export interface Conv2dOptions {
  readonly stride?: number;
  readonly padding?: number;
  readonly dilation?: number;
  readonly groups?: number;
  readonly weight?: Initializer;
  /** false: no bias. Left out: PyTorch's default. */
  readonly bias?: Initializer | false;
}

/** Convolution with a square kernel: [N, C, H, W] → [N, filters, oH, oW]. Parameters `weight` [filters, C / groups, k, k] and `bias` [filters]. */
export function conv2d(filters: number, kernel: number, options: Conv2dOptions = {}): Layer {
  const { stride = 1, padding = 0, dilation = 1, groups = 1, weight = uniformFanIn, bias } = options;
  return (x, scope) => {
    const channels = knownChannels(x) / groups;
    const inputs = [x, scope.parameter("weight", [filters, channels, kernel, kernel], weight)];
    if (bias !== false) inputs.push(scope.parameter("bias", [filters], bias ?? uniform(1 / Math.sqrt(channels * kernel * kernel))));
    const attributes = {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
      dilations: [dilation, dilation],
      group: groups,
    };
    return scope.graph.add("Conv", inputs, attributes, scope.path);
  };
}
