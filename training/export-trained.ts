import { exportOnnx } from "../export/export-onnx.ts";
import type { ModelMetadata } from "../export/metadata.ts";
import { VERSION } from "../export/version.ts";
import { finalOutput } from "../models/end-of-graph.ts";
import { type Network, parameterCount } from "../models/network.ts";
import type { TrainingState } from "./engine.ts";
import { inferenceWeights } from "./weight-average.ts";

/** What the file says of itself besides what the network tells. */
export type About = Pick<ModelMetadata, "labels" | "preprocess"> & Partial<ModelMetadata>;

/**
 * A trained network as the bytes of one self-sufficient ONNX file: batch norms folded, labels and preprocessing inside.
 * @example await writeFile("model.onnx", exportTrained(network, await engine.state(), { labels, preprocess }))
 * @throws FivecropError where the state is not the network's.
 */
export function exportTrained(network: Network, state: TrainingState, about: About): Uint8Array {
  const metadata: ModelMetadata = {
    outputKind: finalOutput(network.graph),
    architecture: network.name,
    parameters: parameterCount(network),
    createdBy: `fivecrop ${VERSION}`,
    created: new Date().toISOString(),
    ...about,
  };
  return exportOnnx({ graph: network.graph, weights: inferenceWeights(state), parameters: network.parameters.keys(), metadata });
}
