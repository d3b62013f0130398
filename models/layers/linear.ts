import { knownChannels } from "./channels.ts";
import { type Initializer, uniform, uniformFanIn } from "./initializers.ts";
import type { Layer } from "./layer.ts";

/** Fully connected: [N, D] → [N, units]. Parameters `weight` [units, D] and `bias` [units]. */
export function linear(units: number, options: { readonly weight?: Initializer; readonly bias?: Initializer | false } = {}): Layer {
  const { weight = uniformFanIn, bias } = options;
  return (x, scope) => {
    const features = knownChannels(x);
    const inputs = [x, scope.parameter("weight", [units, features], weight)];
    if (bias !== false) inputs.push(scope.parameter("bias", [units], bias ?? uniform(1 / Math.sqrt(features))));
    return scope.graph.add("Gemm", inputs, { transB: 1 }, scope.path);
  };
}
