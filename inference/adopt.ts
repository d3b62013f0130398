import { FivecropError, messageOf } from "../core/errors.ts";
import type { SessionMaker } from "../core/session.ts";
import { appendMetadata, type ModelMetadata } from "../export/metadata.ts";
import { VERSION } from "../export/version.ts";
import { createImage, type Image } from "../pipeline/image.ts";
import { parseViews } from "../pipeline/views.ts";
import { createClassifier } from "./classifier.ts";
import { type ContractOptions, contractOf } from "./model-contract.ts";

export interface AdoptOptions extends ContractOptions {
  /** What an error's message calls the model. */
  readonly name?: string;
}

export interface Adopted {
  readonly model: Uint8Array;
  readonly metadata: ModelMetadata;
}

/**
 * A copy of a foreign model that carries its labels, its preprocessing and what its output is. The bytes of the copy begin with the file's own,
 * the graph among them: only metadata is appended (earlier metadata of ours is replaced). A blank picture is classified first, to see that the
 * labels and the preprocessing fit to the model.
 * @throws UsageError where neither the options nor the file say labels and preprocessing, or the views are unknown.
 * @throws FivecropError where the bytes are no ONNX model, cannot be run, or do not fit to the labels and the preprocessing.
 */
export async function adopt(
  model: Uint8Array,
  createSession: SessionMaker,
  { name = "the model", ...options }: AdoptOptions,
): Promise<Adopted> {
  const { labels, preprocess, outputKind, views, metadata: earlier } = contractOf(model, options, name);
  parseViews(views);
  const metadata: ModelMetadata = { ...earlier, labels, preprocess, outputKind, views, createdBy: `fivecrop ${VERSION}` };
  let adopted: Uint8Array;
  try {
    adopted = appendMetadata(model, metadata);
  } catch (cause) {
    throw new FivecropError(`${name}: ${messageOf(cause)}`, { cause });
  }
  const classifier = await createClassifier(adopted, { createSession, toImage: (image: Image) => image }, { name });
  try {
    await classifier.classify(createImage(preprocess.crop[1], preprocess.crop[0], preprocess.channels), { views: "none" });
  } finally {
    await classifier.dispose();
  }
  return { model: adopted, metadata };
}
