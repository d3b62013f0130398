import { namingFile, UsageError } from "../core/errors.ts";
import { findHead, type HeadPlace, headAt, withHead } from "../models/classifier-head.ts";
import { toLogits } from "../models/end-of-graph.ts";
import type { Graph, Value } from "../models/graph/graph.ts";
import { printType } from "../models/graph/print.ts";
import type { Head } from "../models/layers/head.ts";
import { learnedOf, withOwnWeights } from "../models/learned.ts";
import type { ImageShape, Network } from "../models/network.ts";
import { type ModelMetadata, readMetadata } from "./metadata.ts";
import { type ParseOptions, parseModel } from "./parse.ts";
import { channelsFirst } from "./passes/channels-first.ts";
import { removeIdentity } from "./passes/remove-identity.ts";
import { rename } from "./substitute.ts";

export interface ImportOptions extends Pick<ParseOptions, "external"> {
  /** What an error's message calls the bytes. */
  readonly file: string;
  /** The value that a head is to read; where it is left out, what the file's last layer reads, or its output. */
  readonly features?: string;
}

/** A parsed file that can become a network. */
export interface ImportedModel {
  readonly file: string;
  /** Images [N, C, H, W], each learned tensor read in one place. */
  readonly graph: Graph;
  readonly input: ImageShape;
  readonly place: HeadPlace;
  readonly metadata: ModelMetadata | undefined;
  /** Of a file for a fixed number of images: that number, and the graph that it was before and after it was freed. They have to answer the same. */
  readonly freed?: { readonly batch: number; readonly before: Graph; readonly after: Graph };
}

/**
 * An ONNX classifier, or a backbone whose output is features, as something to train.
 * @throws FivecropError, UsageError where it is no ONNX model, an operator of it is not supported (by its node), it takes no images or several inputs,
 * or gives several outputs.
 */
export function importModel(bytes: Uint8Array, { file, external, features }: ImportOptions): ImportedModel {
  const metadata = namingFile(file, () => readMetadata(bytes));
  if (metadata?.selfContained)
    throw new UsageError(`${file} is self-contained: its preprocessing is part of its graph. To fix: give the file that it was made of.`);
  const options = { file, external, foldConstants: true };
  const { graph: parsed, fixedBatch } = parseModel(bytes, { ...options, freeBatch: true });
  checkInput(parsed, file);
  if (parsed.outputs.length !== 1 && features === undefined)
    throw new UsageError(
      `${file}: expected one output, the classes or the features, found ${parsed.outputs.length}: ${parsed.outputs.map(({ name }) => name).join(", ")}. ` +
        "To fix: say which value a head is to read (--features NAME).",
    );
  const upright = channelsAreLast(parsed.inputs[0]) ? channelsFirst(parsed) : parsed;
  const graph = withOwnWeights(removeIdentity(renamed(upright), { toTrain: true }));
  const place = features === undefined ? findHead(graph) : headAt(graph, features);
  checkFeatures(place, graph, file, features !== undefined);
  const before = fixedBatch === undefined ? undefined : parseModel(bytes, options).graph;
  return {
    file,
    graph,
    input: graph.inputs[0].shape.slice(1) as unknown as ImageShape,
    place,
    metadata,
    ...(before && { freed: { batch: fixedBatch!, before, after: parsed } }),
  };
}

export interface NetworkOfOptions {
  readonly name: string;
  readonly classNames: readonly string[];
  /** A new head in place of the file's own. Left out, it is one linear layer; a file that tells these very classes apart keeps its own. */
  readonly head?: Head;
}

/** A network of an imported model for a data set's classes, and how many layers are its head. */
export function networkOf(
  { graph, place, metadata }: ImportedModel,
  { name, classNames, head }: NetworkOfOptions,
): { readonly network: Network; readonly headLayers: number; readonly keepsHead: boolean } {
  const keepsHead = !head && place.classifier !== undefined && String(metadata?.labels) === String(classNames);
  const { hidden, dropout } = head ?? { hidden: [] };
  const whole = keepsHead
    ? { graph: { ...toLogits(graph, { sigmoid: true }), name }, parameters: new Map() }
    : withHead({ ...graph, name }, place, classNames.length, { hidden, dropout });
  const learned = learnedOf(whole.graph);
  return {
    network: { name, graph: whole.graph, parameters: new Map([...learned, ...whole.parameters]) },
    headLayers: hidden.length + 1,
    keepsHead,
  };
}

/** What a training step calls its own inputs. */
const RESERVED = ["images", "targets", "learning-rate"];

/** The input is called images, as every network's; nothing else is called as a training step's inputs. */
function renamed(graph: Graph): Graph {
  const all = [...graph.inputs, ...graph.initializers.keys(), ...graph.nodes.flatMap((node) => node.outputs)];
  const names = new Set(all.map(({ name }) => name));
  const free = (wanted: string): string => (names.has(wanted) ? free(`${wanted}_`) : wanted);
  const clashing = all.filter((value) => RESERVED.includes(value.name) && value !== graph.inputs[0]);
  return rename(
    graph,
    new Map<Value, string>([...clashing.map((value) => [value, free(`${value.name}_`)] as const), [graph.inputs[0], "images"]]),
  );
}

const isChannels = (d: unknown): boolean => d === 1 || d === 3;
const channelsAreLast = ({ shape }: Value): boolean => !isChannels(shape[1]) && isChannels(shape[3]);

function checkInput({ inputs }: Graph, file: string): void {
  if (inputs.length !== 1)
    throw new UsageError(
      `${file}: expected one input, the images, found ${inputs.length}${inputs.length ? `: ${inputs.map(({ name }) => name).join(", ")}` : ""}. To fix: export the part of the model that takes images only.`,
    );
  const [images] = inputs;
  const { dtype, shape } = images;
  if (dtype !== "float32" || shape.length !== 4 || shape[0] !== "N" || !(isChannels(shape[1]) || isChannels(shape[3])))
    throw new UsageError(
      `${file}: expected images, float32[N,C,H,W] or float32[N,H,W,C] of 1 or 3 channels, as its input, found '${images.name}' ${printType(images)}. To fix: choose a model of images.`,
    );
}

function checkFeatures({ features, classifier }: HeadPlace, graph: Graph, file: string, chosen: boolean): void {
  if (classifier) return;
  const [batch, width, ...pixels] = features.shape;
  const isVector = features.shape.length === 2 || (features.shape.length === 4 && pixels.every((d) => d === 1));
  if (!chosen && (!isVector || batch !== "N"))
    throw new UsageError(
      `${file}: a head reads a vector for each image, [N,D]; the output '${graph.outputs[0].name}' is ${printType(graph.outputs[0])}. ` +
        "To fix: say which value it is to read (--features NAME): a map [N,C,H,W] is averaged.",
    );
  if (width === 1)
    throw new UsageError(
      `${file}: a head reads features, of which one number for each image is too few: '${features.name}' is ${printType(features)}. ` +
        "To fix: name an earlier value of the file (--features NAME; inspect shows them).",
    );
}
