import { checkWhole } from "../core/check.ts";
import { PictureError } from "../core/errors.ts";
import type { Classification, Classifier, ClassifyOptions } from "./classifier.ts";

export interface ClassifyFilesOptions extends ClassifyOptions {
  /** Files that are asked for before the first of them is answered, 64; the classifier itself bounds what of them is in memory. */
  readonly ahead?: number;
}

/** A file's answer, or why it cannot be read. */
export type FileAnswer<File = string> =
  | { readonly file: File; readonly classification: Classification; readonly error?: undefined }
  | { readonly file: File; readonly classification?: undefined; readonly error: PictureError };

/**
 * Classifies files, however many, in bounded memory: they are read ahead of the network, in batches with each other. Answers come in the files' order;
 * one that cannot be read is reported in its place.
 * @example
 * for await (const { file, classification, error } of classifyFiles(classifier, pictureFiles(["photos"]), { views: "five-crop" }))
 *   console.log(file, error ? error.message : classification.predictions[0].label);
 * @throws UsageError for wrong options. FivecropError where the model fails, or the list of files does.
 */
export async function* classifyFiles<Source, File extends Source>(
  classifier: Pick<Classifier<Source>, "classify">,
  files: Iterable<File> | AsyncIterable<File>,
  { ahead = 64, ...options }: ClassifyFilesOptions = {},
): AsyncGenerator<FileAnswer<File>, void, undefined> {
  checkWhole("ahead", ahead, 1);
  const window: Promise<FileAnswer<File>>[] = [];
  for await (const file of files) {
    const answer = answerOf(classifier, file, options);
    answer.catch(() => undefined); // thrown when its turn comes
    window.push(answer);
    if (window.length >= ahead) yield await window.shift()!;
  }
  for (const answer of window) yield await answer;
}

async function answerOf<Source, File extends Source>(
  classifier: Pick<Classifier<Source>, "classify">,
  file: File,
  options: ClassifyOptions,
): Promise<FileAnswer<File>> {
  try {
    return { file, classification: await classifier.classify(file, options) };
  } catch (error) {
    if (error instanceof PictureError) return { file, error };
    throw error;
  }
}
