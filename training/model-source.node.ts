import { FivecropError, UsageError } from "../core/errors.ts";
import { random } from "../core/random.ts";
import { createSession } from "../core/session.node.ts";
import { numbersOf, type Tensor, tensor } from "../core/tensor.ts";
import { type ImportedModel, networkOf } from "../export/import-model.ts";
import { serialize } from "../export/serialize.ts";
import { ARCHITECTURES, type Architecture } from "../models/architectures/index.ts";
import { type Freeze, freeze } from "../models/freeze.ts";
import type { Graph } from "../models/graph/graph.ts";
import { dropDead } from "../models/graph/needed.ts";
import type { Network } from "../models/network.ts";
import { headOf } from "../models/network-options.ts";
import { type PreprocessSpec, validatePreprocess } from "../pipeline/preprocess.ts";
import { preprocessFor } from "../pipeline/preprocess-for.ts";
import { presetOf } from "../pipeline/presets.ts";
import { openModelFile } from "./model-file.node.ts";
import { isModelFile, modelOf, networkName, type RunConfig } from "./run-config.ts";

/** What a run's `model` names: what it makes of a picture, and its network for a data set's classes. */
export interface ModelSource {
  readonly preprocess: PreprocessSpec;
  network(classNames: readonly string[]): Network;
  /** What is worth knowing of how a file was understood. */
  notes(classNames: readonly string[]): readonly string[];
}

/**
 * Opens an architecture by its name, or an ONNX file.
 * @param standard the data set's preprocessing
 * @throws UsageError for an unknown name, preprocessing that cannot be, or a file that is no classifier of images; FivecropError where a file cannot be trained.
 */
export async function openModel(config: RunConfig, standard: PreprocessSpec): Promise<ModelSource> {
  checkRates(config);
  return isModelFile(config.model) ? openFile(config) : openArchitecture(config, config.preset ? presetOf(config.preset) : standard);
}

function openArchitecture(config: RunConfig, standard: PreprocessSpec): ModelSource {
  if (config.features !== undefined)
    throw new UsageError(
      `--features: it belongs to an ONNX file as --model; '${config.model}' has a head of its own. To fix: leave it out.`,
    );
  const { preprocess } = modelOf(config, standard);
  const architecture: Architecture = (ARCHITECTURES as Readonly<Record<string, Architecture>>)[config.model];
  const hidden = config.head ?? architecture.head?.hidden ?? [];
  return {
    preprocess,
    network: ({ length }) => tuned(modelOf(config, standard, length).network, config, hidden.length + 1),
    notes: () => [],
  };
}

async function openFile(config: RunConfig): Promise<ModelSource> {
  if (config.initialization)
    throw new UsageError(`--initialization: the weights of ${config.model} are there already. To fix: leave it out.`);
  const model = await openModelFile(config);
  await proveFreed(model, config.features);
  const { head } = headOf(config.head, config.dropout);
  const options = { name: networkName(config.model), head };
  return {
    preprocess: filePreprocess(model, config),
    network(classNames) {
      const { network, headLayers } = networkOf(model, { ...options, classNames });
      return tuned(network, config, headLayers);
    },
    notes: (classNames) => headNotes(model, networkOf(model, { ...options, classNames }).keepsHead),
  };
}

/** What the head took the place of. */
function headNotes({ place: { features, classifier }, graph, freed }: ImportedModel, keepsHead: boolean): readonly string[] {
  const [where, size] = [`'${features.name}'`, `[${features.shape}]`];
  const [output] = graph.outputs;
  const placed = keepsHead
    ? `it tells these classes apart already: its own head '${classifier?.name}' is trained further`
    : classifier
      ? `the new head reads ${where} ${size}, in place of '${classifier.name}' (${classifier.op}) and its ${output.shape[1]} classes`
      : `the new head reads ${where} ${size}`;
  return [placed, ...(freed ? [`it was for ${freed.batch} at a time, and is for any number now: compared on random images`] : [])];
}

function checkRates(config: RunConfig): void {
  const { model, freeze: wanted = "none", learningRateBackbone: rate } = config;
  if (wanted !== "none" && !isModelFile(model) && !Object.hasOwn(config, "weights"))
    throw new UsageError(
      `--freeze: the weights of '${model}' are drawn at random, and what is frozen would stay so. To fix: begin with trained ones, such as an ONNX file as --model, or leave it out.`,
    );
  if (rate !== undefined && wanted === "backbone")
    throw new UsageError("--lr-backbone: with --freeze backbone nothing below the head is trained. To fix: leave one of them out.");
}

function tuned(network: Network, { freeze: wanted = "none", learningRateBackbone, learningRate }: RunConfig, headLayers: number): Network {
  if (wanted === "none" && learningRateBackbone === undefined) return network;
  return freeze(network, { freeze: wanted as Freeze, headLayers, rateFactor: (learningRateBackbone ?? learningRate) / learningRate });
}

function filePreprocess({ file, metadata, input }: ImportedModel, { preset, preprocess: changes = {} }: RunConfig): PreprocessSpec {
  const own = preset === undefined ? metadata?.preprocess : presetOf(preset);
  if (own) return validatePreprocess({ ...preprocessFor(own, input), ...changes });
  if (Object.keys(changes).length > 0) return validatePreprocess(changes);
  throw new UsageError(
    `${file} does not say how pictures are prepared for it: it carries no fivecrop metadata. ` +
      "To fix: name a preprocessing by --preset imagenet, give a whole one by --preprocess, or write one into a copy first (fivecrop adopt).",
  );
}

/** How far the answers of a freed graph may be from those of the file, relative to the largest of them. */
const TOLERANCE = 1e-4;

/**
 * Of a file for a fixed number of images: its freed graph must give twice as many at once what the file gives for each half.
 * @param features the value that is compared, which the head reads; the output where it is left out
 * @throws FivecropError where it does not: another axis was meant.
 */
async function proveFreed({ file, freed }: ImportedModel, features: string | undefined): Promise<void> {
  if (!freed) return;
  const { batch } = freed;
  const fix = "To fix: export it with a dynamic batch axis.";
  const [before, after] = [freed.before, freed.after].map((graph) => (features === undefined ? graph : endingAt(graph, features)));
  if (!before || !after)
    throw new FivecropError(
      `${file} takes ${batch} at a time, and its value '${features}' is there for so many only, so that it cannot be compared. ${fix}`,
    );
  const shape = before.inputs[0].shape.slice(1).map(Number);
  const halves = [0, 1].map((i) => randomImages([batch, ...shape], i));
  const both = tensor("float32", [2 * batch, ...shape], Float32Array.from(halves.flatMap(({ data }) => Array.from(data))));
  const expected = (await answers(before, halves, file)).flat();
  const [found] = await answers(after, [both], file);
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const off = expected.reduce((largest, value, i) => Math.max(largest, Math.abs(value - found[i])), 0);
  if (expected.length === found.length && off <= TOLERANCE * scale) return;
  const wrong =
    expected.length === found.length
      ? `by ${off.toPrecision(2)} of ${scale.toPrecision(2)} on random images`
      : `with ${found.length} numbers for ${2 * batch} images, where it gives ${expected.length / 2} for ${batch}`;
  throw new FivecropError(
    `${file} takes ${batch} at a time, and ${features === undefined ? "answers otherwise" : `its value '${features}' is another`} when it is given more: ${wrong}. ${fix}`,
  );
}

/** A graph whose output is one of its values; undefined where it has none of this name. */
function endingAt(graph: Graph, name: string): Graph | undefined {
  const value = graph.nodes.flatMap(({ outputs }) => outputs).find((each) => each.name === name);
  return value && dropDead({ ...graph, outputs: [value] });
}

function randomImages(shape: readonly number[], seed: number): Tensor<"float32"> {
  const { normal } = random(seed);
  return tensor("float32", shape, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, normal));
}

async function answers(graph: Graph, batches: readonly Tensor<"float32">[], name: string): Promise<number[][]> {
  const session = await createSession(serialize(graph), { name });
  try {
    const results: number[][] = [];
    for (const images of batches) {
      const [first] = graph.outputs;
      const outputs = await session.run({ [graph.inputs[0].name]: images });
      results.push(numbersOf(outputs[first.name]));
    }
    return results;
  } finally {
    await session.dispose();
  }
}
