/** What a view of a sample was when the file was written: checksums of each stage, in hexadecimal. */
export interface GoldenView {
  /** The whole picture in the view's size, before the crop. */
  readonly resized: string;
  /** The crop, mirrored where the view is. */
  readonly view: string;
  /** The network's input: float32 [C, H, W], little-endian. */
  readonly normalized: string;
}

/** A picture and what the model answered for it when its file was written. */
export interface GoldenSample {
  readonly name: string;
  /** The bytes of the picture's file, as base64. */
  readonly file: string;
  /** The checksum of its decoded pixels and their size. */
  readonly pixels: string;
  /** One for each of the file's views; none where preprocessing is part of the graph. */
  readonly views: readonly GoldenView[];
  /** The mean over the views, float32 little-endian, as base64. */
  readonly probabilities: string;
}

/** What a model file carries to be tried with, anywhere. */
export interface GoldenSamples {
  /** The views that were averaged over, as parseViews understands them. */
  readonly views: string;
  readonly samples: readonly GoldenSample[];
}

const isText = (value: unknown): boolean => typeof value === "string";
const has = (value: unknown, tests: Readonly<Record<string, (field: unknown) => boolean>>): boolean =>
  typeof value === "object" &&
  value !== null &&
  Object.entries(tests).every(([name, test]) => test((value as Record<string, unknown>)[name]));
const listOf = (test: (each: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(test);

const isView = (value: unknown): boolean => has(value, { resized: isText, view: isText, normalized: isText });
const isSample = (value: unknown): boolean =>
  has(value, { name: isText, file: isText, pixels: isText, probabilities: isText, views: listOf(isView) });

/** Whether a value that came from a file is golden samples. */
export const isGoldenSamples = (value: unknown): boolean => has(value, { views: isText, samples: listOf(isSample) });

/** Bytes as base64. */
export const toBase64 = (bytes: Uint8Array): string => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

/** @throws DOMException where the text is no base64 */
export const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
