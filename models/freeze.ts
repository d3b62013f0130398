import { UsageError } from "../core/errors.ts";
import { plural } from "../core/text.ts";
import { layersOf } from "./learned.ts";
import type { Network } from "./network.ts";

/** What stays as it is: all but the head, nothing, or all but the head and so many layers below it. */
export type Freeze = "backbone" | "none" | number;

export interface FreezeOptions {
  readonly freeze: Freeze;
  /** How many layers are the head: its hidden ones and the last. */
  readonly headLayers: number;
  /** The rate of what trains below the head, as a factor of the head's: 1 where it is left out. */
  readonly rateFactor?: number;
}

/**
 * The network with a part of it fixed: no gradient is computed for its weights or below them, and its batch norms normalize by their running statistics,
 * which stay. What trains below the head has a rate of its own.
 * @throws UsageError where more layers are to train than there are.
 */
export function freeze(net: Network, options: FreezeOptions): Network {
  const { freeze: wanted, headLayers, rateFactor = 1 } = options;
  const { atSize } = net;
  const layers = layersOf(net);
  const below = layers.slice(0, layers.length - headLayers);
  const training = wanted === "none" ? below.length : wanted === "backbone" ? 0 : wanted;
  if (training > below.length)
    throw new UsageError(
      `freeze: '${net.name}' has ${plural(below.length, "layer")} with weights below its head: expected at most ${below.length} of them to train, received ${training}.`,
    );
  const own = (name: string): number => net.rateFactors?.get(name) ?? 1;
  const factors = below.flatMap((layer, i) =>
    layer.map(({ name }) => [name, i < below.length - training ? 0 : rateFactor * own(name)] as const),
  );
  return {
    ...net,
    rateFactors: new Map([...new Map([...(net.rateFactors ?? []), ...factors])].filter(([, factor]) => factor !== 1)),
    ...(atSize && { atSize: (input) => freeze(atSize(input), options) }),
  };
}
