import { FivecropError, UsageError } from "../core/errors.ts";
import { nearestNames } from "../core/nearest.ts";
import { type Tensor, zeros } from "../core/tensor.ts";
import { placeCrop, type Rectangle, resizedSize, type Size } from "./geometry.ts";
import { type Image, withChannels } from "./image.ts";
import { type Filter, resize, resizeRegion } from "./resize.ts";

/** How an image becomes a network's input, as plain JSON: it travels in the model file, and training, Node and the page obey the same one. */
export interface PreprocessSpec {
  /** The shorter side in pixels before the crop, or exactly [height, width]; null leaves the size as it is. */
  readonly resize: number | readonly [number, number] | null;
  readonly filter: Filter;
  /** [height, width] of the network's input. */
  readonly crop: readonly [number, number];
  readonly channels: 1 | 3;
  /** Per channel, in units of [0, 1]: x = (pixel / 255 − mean) / std. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

const LARGEST_SIDE = 16384;
/** Of a network's input, in pixels: 200 MB of numbers where it is in colour. */
const LARGEST_CROP = 2 ** 24;
const isSide = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LARGEST_SIDE;
const isSize = (value: unknown): boolean => Array.isArray(value) && value.length === 2 && value.every(isSide);
const isNumbers = (value: unknown, { channels }: { channels?: unknown }, also = (_: number): boolean => true): boolean =>
  Array.isArray(value) && value.length === channels && value.every((number) => Number.isFinite(number) && also(number));

/** For every field: what it must be, in words and as a test. */
const FIELDS: {
  readonly [F in keyof PreprocessSpec]: readonly [expected: string, test: (value: unknown, all: { channels?: unknown }) => boolean];
} = {
  resize: ["a whole number (the shorter side), [height, width], or null", (value) => value === null || isSide(value) || isSize(value)],
  filter: ['"bilinear", "bicubic" or "nearest"', (value) => value === "bilinear" || value === "bicubic" || value === "nearest"],
  crop: [
    `[height, width], whole numbers from 1 to ${LARGEST_SIDE}, of at most ${LARGEST_CROP} pixels`,
    (value) => isSize(value) && (value as number[])[0] * (value as number[])[1] <= LARGEST_CROP,
  ],
  channels: ["1 (gray) or 3 (RGB)", (value) => value === 1 || value === 3],
  mean: ["a number for each channel", (value, all) => isNumbers(value, all)],
  std: ["a number above 0 for each channel", (value, all) => isNumbers(value, all, (number) => number > 0)],
};

/**
 * A spec that came from a file or an option, checked.
 * @throws UsageError that names the field, what was expected and what was found.
 */
export function validatePreprocess(value: unknown): PreprocessSpec {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new UsageError(
      `preprocess: expected an object with the fields ${Object.keys(FIELDS).join(", ")}, received ${JSON.stringify(value) ?? "nothing"}`,
    );
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(fields))
    if (!Object.hasOwn(FIELDS, name)) {
      const [nearest] = nearestNames(name, Object.keys(FIELDS), 1);
      throw new UsageError(`preprocess: unknown field '${name}'.${nearest ? ` Did you mean '${nearest}'?` : ""}`);
    }
  for (const [name, [expected, test]] of Object.entries(FIELDS))
    if (!test(fields[name], fields))
      throw new UsageError(`preprocess.${name}: expected ${expected}, received ${JSON.stringify(fields[name]) ?? "nothing"}`);
  return value as PreprocessSpec;
}

const tables = new WeakMap<PreprocessSpec, readonly Float32Array[]>();

/** For each channel, x of each of the 256 pixel values, rounded to float32 after every step as PyTorch does. */
function tablesOf(spec: PreprocessSpec): readonly Float32Array[] {
  let found = tables.get(spec);
  if (!found) {
    const { fround } = Math;
    found = spec.mean.map((mean, c) =>
      Float32Array.from({ length: 256 }, (_, pixel) => fround(fround(pixel / 255) - fround(mean)) / fround(spec.std[c])),
    );
    tables.set(spec, found);
  }
  return found;
}

/**
 * x = (pixel / 255 − mean) / std into out[offset, offset + C · H · W), channel by channel.
 * @throws FivecropError where the image is not of the crop's size and channels.
 */
export function normalizeInto(image: Image, spec: PreprocessSpec, out: Float32Array, offset: number): void {
  const { width, height, channels, data } = image;
  if (height !== spec.crop[0] || width !== spec.crop[1] || channels !== spec.channels)
    throw new FivecropError(
      `normalize: expected an image of ${spec.crop[1]}×${spec.crop[0]} pixels and ${spec.channels} channels, received ${width}×${height} and ${channels}`,
    );
  const size = width * height;
  const [red, green, blue] = tablesOf(spec);
  if (channels === 1) for (let i = 0; i < size; i++) out[offset + i] = red[data[i]];
  else
    for (let i = offset, s = 0; s < data.length; i++, s += 3) {
      out[i] = red[data[s]];
      out[i + size] = green[data[s + 1]];
      out[i + 2 * size] = blue[data[s + 2]];
    }
}

/** What decides the pixels before the crop. */
export type ResizeSpec = Pick<PreprocessSpec, "resize" | "filter" | "channels">;

/** Channels and resize, without the crop: preprocessing the result gives the same numbers as preprocessing the image itself. */
export const resizeImage = (image: Image, { resize: to, filter, channels }: ResizeSpec): Image =>
  resize(withChannels(image, channels), resizedSize(image, to), filter);

/**
 * Channels, resize, crop: the image that the network sees, [height, width] of the spec's crop.
 * @param place where the crop lies in the resized picture; in its center where it is left out
 */
export function fitImage(
  image: Image,
  spec: PreprocessSpec,
  place = (size: Size): Rectangle => placeCrop(size, spec.crop, "center"),
): Image {
  const size = resizedSize(image, spec.resize);
  return resizeRegion(withChannels(image, spec.channels), size, spec.filter, place(size));
}

/** An image of any size into out[offset, offset + C · H · W), float32 [C, H, W]. */
export const preprocessInto = (image: Image, spec: PreprocessSpec, out: Float32Array, offset: number): void =>
  normalizeInto(fitImage(image, spec), spec, out, offset);

/** An image of any size → float32 [1, C, H, W], as torchvision's Resize, CenterCrop, ToTensor and Normalize make it, to the last bit. */
export function preprocess(image: Image, spec: PreprocessSpec): Tensor<"float32"> {
  const result = zeros("float32", [1, spec.channels, ...spec.crop]);
  preprocessInto(image, spec, result.data, 0);
  return result;
}
