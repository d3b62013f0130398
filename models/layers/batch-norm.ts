import { knownChannels } from "./channels.ts";
import { constant } from "./initializers.ts";
import type { Layer } from "./layer.ts";

/**
 * Batch normalization of [N, C] or [N, C, H, W]. Parameters `weight` and `bias` [C]; state `running_mean` and `running_var` [C].
 * @param options.biasRate what multiplies the learning rate for the bias: 1 where it is left out
 */
export const batchNormWith =
  ({ biasRate }: { readonly biasRate?: number } = {}): Layer =>
  (x, scope) => {
    const shape = [knownChannels(x)];
    const inputs = [
      x,
      scope.parameter("weight", shape, constant(1)),
      scope.parameter("bias", shape, constant(0), biasRate),
      scope.state("running_mean", shape, 0),
      scope.state("running_var", shape, 1),
    ];
    return scope.graph.add("BatchNormalization", inputs, {}, scope.path);
  };

export const batchNorm: Layer = batchNormWith();
