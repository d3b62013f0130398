import type { Value } from "../graph/graph.ts";
import { known } from "../graph/shape.ts";

/** The size of axis 1: channels of [N, C, H, W], features of [N, D]. */
export const knownChannels = (x: Value): number => known(x.shape[1], "the channel axis");
