import { createSession } from "../core/session.browser.ts";
import { decodeImage } from "../pipeline/decode.browser.ts";
import { checkImage, fromImageData, type Image } from "../pipeline/image.ts";
import { type Classifier, type ClassifierOptions, createClassifier } from "./classifier.ts";

/** A picture in a page: a file that was dropped or picked, any blob, a file's bytes, a canvas's pixels (laid on white where they are transparent), or an Image. */
export type ImageSource = Blob | Uint8Array | ImageData | Image;

const bytesOf = async (source: Blob | Uint8Array): Promise<Uint8Array> =>
  source instanceof Blob ? new Uint8Array(await source.arrayBuffer()) : source;
const nameOf = (source: Blob | Uint8Array, otherwise: string): string => (source instanceof File ? source.name : otherwise);

async function toImage(source: ImageSource): Promise<Image> {
  if (source instanceof Blob || source instanceof Uint8Array) return decodeImage(await bytesOf(source), nameOf(source, "the picture"));
  return source instanceof ImageData
    ? fromImageData(source)
    : checkImage(source, "a File or Blob, a picture's bytes (a Uint8Array), ImageData");
}

/**
 * A classifier from an ONNX file or its bytes; pictures are decoded to the same pixels as in Node.
 * @example
 * const classifier = await loadClassifier(await (await fetch("model.onnx")).blob());
 * const { predictions } = await classifier.classify(input.files[0], { views: "five-crop", top: 3 });
 * @throws UsageError where neither the file nor the options say labels and preprocessing.
 * @throws FivecropError where the file is no ONNX model, or does not fit to them; where the device is missing or answers wrongly.
 */
export async function loadClassifier(model: Blob | Uint8Array, options: ClassifierOptions = {}): Promise<Classifier<ImageSource>> {
  const name = options.name ?? nameOf(model, "the model");
  return createClassifier(await bytesOf(model), { createSession, toImage, decode: decodeImage, processor: "wasm" }, { ...options, name });
}
