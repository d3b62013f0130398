import { readFile } from "node:fs/promises";
import { FivecropError, messageOf } from "../core/errors.ts";
import { createSession } from "../core/session.node.ts";
import { decodeImage, readImage } from "../pipeline/decode.node.ts";
import type { Image } from "../pipeline/image.ts";
import { type Classifier, type ClassifierOptions, createClassifier } from "./classifier.ts";

/** A picture in Node: the path of its file, the file's bytes, or decoded pixels. */
export type ImageSource = string | Uint8Array | Image;

function toImage(source: ImageSource): Image | Promise<Image> {
  if (typeof source === "string") return readImage(source);
  return source instanceof Uint8Array ? decodeImage(source, "the picture") : source;
}

/**
 * A classifier from an ONNX file or its bytes.
 * @example
 * const classifier = await loadClassifier("runs/fashion/model.onnx");
 * const { predictions } = await classifier.classify("boot.png", { views: "five-crop", top: 3 });
 * @throws UsageError where neither the file nor the options say labels and preprocessing.
 * @throws FivecropError where the file cannot be read, is no ONNX model, or does not fit to them.
 */
export async function loadClassifier(model: string | Uint8Array, options: ClassifierOptions = {}): Promise<Classifier<ImageSource>> {
  const name = options.name ?? (typeof model === "string" ? model : "the model");
  return createClassifier(typeof model === "string" ? await readModel(model) : model, { createSession, toImage }, { ...options, name });
}

/** @throws FivecropError where the file cannot be read. */
export async function readModel(model: string): Promise<Uint8Array> {
  try {
    return await readFile(model);
  } catch (cause) {
    throw new FivecropError(`cannot read the model ${model}: ${messageOf(cause)}`, { cause });
  }
}
