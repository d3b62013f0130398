import type { SessionMaker } from "../core/session.ts";
import { exportOnnx } from "../export/export-onnx.ts";
import type { ModelMetadata } from "../export/metadata.ts";
import { VERSION } from "../export/version.ts";
import { verifyExport } from "../inference/verify.ts";
import { finalOutput } from "../models/end-of-graph.ts";
import { type Network, parameterCount } from "../models/network.ts";
import type { Dataset } from "../pipeline/dataset.ts";
import type { TrainingEngine, TrainingState } from "./engine.ts";
import { firstImages } from "./first-images.ts";
import { inferenceWeights } from "./weight-average.ts";

/** What the file says of itself besides what the network tells. */
export type About = Pick<ModelMetadata, "labels" | "preprocess"> & Partial<ModelMetadata>;

/** The file of a trained network as `exportTrained` gives it, compared with nothing. @throws FivecropError where the state is not the network's. */
export function trainedModel(network: Network, state: TrainingState, about: About): Uint8Array {
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

/** What the file says of itself: the preprocessing that was trained with, and labels where they are others than the data set's. */
export type ExportTrainedOptions = Pick<About, "preprocess"> & Partial<About>;

/** How many images a file is compared with the training engine on. */
const COMPARED = 64;

/**
 * What an engine has trained as the bytes of one self-sufficient ONNX file: batch norms folded, labels and preprocessing inside. The bytes are run, and
 * compared with the engine on the data set's first 64 images.
 * @example await writeFile("model.onnx", await exportTrained(engine, validation, { preprocess }))
 * @throws FivecropError where a probability differs from the engine's by more than 1e-4, or the labels are not as many as the network's classes.
 */
export async function exportTrained(
  engine: TrainingEngine,
  dataset: Dataset,
  { createSession, ...about }: ExportTrainedOptions & { readonly createSession: SessionMaker },
): Promise<Uint8Array> {
  const { network } = engine;
  const model = trainedModel(network, await engine.state(), { labels: dataset.classNames, ...about });
  const images = await firstImages(dataset, about.preprocess, COMPARED);
  const expected = await engine.predict(images);
  await verifyExport(model, { createSession, images, expected, outputKind: finalOutput(network.graph) });
  return model;
}
