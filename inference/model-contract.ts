import { FivecropError, namingFile, UsageError } from "../core/errors.ts";
import type { Session } from "../core/session.ts";
import { externalWeights } from "../export/external-weights.ts";
import { checkTemperature, type ModelMetadata, type OutputKind, readMetadata } from "../export/metadata.ts";
import { outputKindOf } from "../export/output-kind.ts";
import { type PreprocessSpec, validatePreprocess } from "../pipeline/preprocess.ts";
import { cropSize } from "./crops.ts";

/** What the caller says of a model, in place of what its file says. */
export interface ContractOptions {
  /** The class of each column of the output. */
  readonly labels?: readonly string[];
  readonly preprocess?: PreprocessSpec;
  /** What the output is; where it is left out the last node tells, else the metadata, else it is logits. */
  readonly outputKind?: OutputKind;
  /** What logits are divided by before their softmax; where it is left out as the metadata says, else 1. */
  readonly temperature?: number;
  /** The views to average over where `classify` is given none. */
  readonly views?: string;
}

/**
 * All that is needed to ask a model: from its file's metadata and the caller's options, which win. A last node that is a softmax or log-softmax
 * is believed before the metadata, so that nothing is softmaxed twice.
 */
export interface Contract {
  readonly labels: readonly string[];
  readonly preprocess: PreprocessSpec;
  readonly outputKind: OutputKind;
  readonly temperature: number;
  readonly views: string;
  readonly metadata: ModelMetadata | undefined;
}

/** @throws UsageError where neither the file nor the options say the labels or the preprocessing. FivecropError where the file is no ONNX model, or its metadata is malformed. */
export function contractOf(model: Uint8Array, options: ContractOptions, file: string): Contract {
  const metadata = metadataOf(model, file);
  refuseExternalWeights(model, file);
  const labels = options.labels ?? metadata?.labels;
  const preprocess = options.preprocess ? validatePreprocess(options.preprocess) : metadata?.preprocess;
  if (!labels || !preprocess) {
    const missing = [
      labels ? [] : ["labels (a name for each class: --labels FILE)"],
      preprocess ? [] : ["preprocess (size, channels, mean and std: --preset imagenet, or --preprocess JSON)"],
    ].flat();
    throw new UsageError(`${file} carries no fivecrop metadata. To fix: give the options ${missing.join(" and ")}.`);
  }
  const told = namingFile(file, () => outputKindOf(model));
  const { outputKind = told ?? metadata?.outputKind ?? "logits", views = metadata?.views ?? "none" } = options;
  const { temperature = metadata?.temperature ?? 1 } = options;
  if (!metadata?.selfContained) checkTemperature({ temperature, outputKind }, file);
  return { labels, preprocess, outputKind, temperature, views, metadata };
}

/** The file's own metadata. @throws FivecropError that names the file, where it is no ONNX model or its metadata is malformed. */
export const metadataOf = (model: Uint8Array, file: string): ModelMetadata | undefined => namingFile(file, () => readMetadata(model));

/**
 * The runtime would look for them in the working folder, and take another model's of that name.
 * @throws FivecropError where weights lie beside the file.
 */
export function refuseExternalWeights(model: Uint8Array, file: string): void {
  const location = namingFile(file, () => externalWeights(model));
  if (location !== undefined)
    throw new FivecropError(
      `${file}: weights of it lie in another file, '${location}', and a model is taken whole. ` +
        `To fix: save it with its weights inside, in Python onnx.save(onnx.load("FILE.onnx"), "WHOLE.onnx").`,
    );
}

/** A model's ports, checked. */
export interface Ports {
  readonly input: string;
  readonly output: string;
  /** The only batch size that the file takes; `undefined` where the caller chooses. */
  readonly fixedBatch: number | undefined;
}

/** Of numbers, 1 GB of them: a fixed batch has to be filled up, however few the pictures. */
const LARGEST_BATCH = 2 ** 28;

const fits = (found: readonly (number | string)[], expected: readonly (number | string)[]): boolean =>
  found.length === expected.length && found.every((d, i) => i === 0 || typeof d === "string" || d <= 0 || d === expected[i]);

/** @throws UsageError where the model is self-contained. */
export function refuseSelfContained({ preprocess, metadata }: Contract, file: string): void {
  if (metadata?.selfContained)
    throw new UsageError(
      `${file} is self-contained: its graph takes whole pictures, uint8 [N,H,W,${preprocess.channels}], and averages over ${metadata.views ?? "none"} itself. ` +
        "To fix: give the file that it was made of here, and this one to any ONNX runtime.",
    );
}

/** @throws FivecropError where the model does not take such images, or does not answer with a number for each label, or not with that alone. */
export function checkPorts(session: Session, { labels, preprocess, metadata }: Contract, file: string): Ports {
  if (!metadata && session.outputs.length > 1)
    throw new FivecropError(
      `${file}: expected one output, a number for each class, found ${session.outputs.length}: ${session.outputs.map(({ name }) => name).join(", ")}. ` +
        "Which of them answers nothing in the file says. To fix: keep that one alone, in Python onnx.utils.extract_model(FILE, OUT, [INPUT], [OUTPUT]).",
    );
  const ports = checkInput(session, preprocess, file);
  const [output] = session.outputs;
  if (output.dtype !== "float32" || !fits(output.shape, ["N", labels.length]))
    throw new FivecropError(
      `${file}: its output '${output.name}' is ${output.dtype} [${output.shape}], ${labels.length} labels need float32 [N,${labels.length}]. ` +
        "To fix: give a label for each class, in the order of the output.",
    );
  return ports;
}

/** @throws FivecropError where the model does not take such images. */
export function checkInput({ inputs, outputs }: Session, preprocess: PreprocessSpec, file: string): Ports {
  if (inputs.length !== 1 || outputs.length === 0)
    throw new FivecropError(`${file}: expected one input (the images) and an output, found ${inputs.length} and ${outputs.length}`);
  const [input] = inputs;
  const images = ["N", preprocess.channels, ...preprocess.crop];
  if (input.dtype !== "float32" || !fits(input.shape, images))
    throw new FivecropError(
      `${file}: its input '${input.name}' takes ${input.dtype} [${input.shape}], the preprocessing makes float32 [${images}] ` +
        "(batch, channels, height, width). To fix: give the preprocessing that the model was trained with.",
    );
  const [batch] = input.shape;
  const fixedBatch = typeof batch === "number" && batch > 0 ? batch : undefined;
  if (fixedBatch !== undefined && fixedBatch > 1 && fixedBatch * cropSize(preprocess) > LARGEST_BATCH)
    throw new FivecropError(
      `${file}: its input '${input.name}' takes ${fixedBatch} images at once, no fewer, [${input.shape}]: more than ${LARGEST_BATCH} numbers. ` +
        "To fix: export it with a free batch axis.",
    );
  return { input: input.name, output: outputs[0].name, fixedBatch };
}
