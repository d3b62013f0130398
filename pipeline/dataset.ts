import { FivecropError, UsageError } from "../core/errors.ts";
import { random } from "../core/random.ts";
import type { Image } from "./image.ts";

/** By what a data set can be opened again elsewhere, in a worker for example: plain JSON. */
export interface DatasetDescription {
  /** Its row in the table of data sets. */
  readonly name: string;
  /** The folder of all data sets. */
  readonly root: string;
  readonly split: string;
  /** The images that it consists of, by their place in the whole split; all, in order, where it is left out. */
  readonly indices?: readonly number[];
  /** The folder of its decoded pictures: they are read from there, not from their files. */
  readonly packed?: string;
}

/** Labelled images. */
export interface Dataset {
  readonly name: string;
  readonly classNames: readonly string[];
  readonly length: number;
  /** The class of each image, an index into classNames. */
  readonly labels: Uint16Array;
  /** Image `index` of 0 … length − 1; the caller does not change its bytes. */
  image(index: number): Image | Promise<Image>;
  /** The picture file of image `index`; absent where images are no files of their own. */
  readonly file?: (index: number) => string;
  /** What was found beside its images, a sentence each. */
  readonly notes?: readonly string[];
  /** Absent where the images live in this thread only: such a data set is read here, between steps. */
  readonly description?: DatasetDescription;
}

/**
 * These images of a data set, in this order.
 * @throws FivecropError where an index is not of the data set.
 */
export function subset(dataset: Dataset, indices: ArrayLike<number>): Dataset {
  const chosen = Array.from(indices);
  const wrong = chosen.find((index) => !(Number.isInteger(index) && index >= 0 && index < dataset.length));
  if (wrong !== undefined)
    throw new FivecropError(`${dataset.name}: expected indices from 0 to ${dataset.length - 1} for a subset, received ${wrong}`);
  const { description, labels, file } = dataset;
  const whole = description?.indices;
  return {
    name: dataset.name,
    classNames: dataset.classNames,
    length: chosen.length,
    labels: Uint16Array.from(chosen, (index) => labels[index]),
    image: (index) => dataset.image(chosen[index]),
    ...(file && { file: (index: number) => file(chosen[index]) }),
    ...(description && { description: { ...description, indices: whole ? chosen.map((index) => whole[index]) : chosen } }),
  };
}

/** All images where there are no more than `most`, else so many drawn over the whole data set, always the same ones, in their order. */
export function bounded(dataset: Dataset, most: number): Dataset {
  if (dataset.length <= most) return dataset;
  return subset(dataset, random(0).fork("bounded").permutation(dataset.length).slice(0, most).sort());
}

export interface Split {
  readonly training: Dataset;
  readonly validation: Dataset;
}

/**
 * Two parts: images drawn for validation, the rest for training, each in the data set's own order.
 * @param amount below 1 a fraction, round(fraction · length) images; above 1 a whole number of images.
 * @throws UsageError where a part would be empty.
 */
export function splitDataset(dataset: Dataset, amount: number, seed: number): Split {
  const count = amount < 1 ? Math.round(amount * dataset.length) : amount;
  if (!(Number.isInteger(count) && count >= 1 && count < dataset.length && amount !== 1))
    throw new UsageError(
      `validation: expected a share of the ${dataset.length} images of ${dataset.name} between 0 and 1, or a whole number of them above 1 and below ${dataset.length}, ` +
        `received ${amount}, which leaves a part empty or divides an image. To fix: choose another amount, such as 0.1.`,
    );
  const order = random(seed).fork("split").permutation(dataset.length);
  return { training: subset(dataset, order.slice(count).sort()), validation: subset(dataset, order.slice(0, count).sort()) };
}

export interface InMemoryOptions {
  readonly name: string;
  readonly classNames: readonly string[];
  readonly images: readonly Image[];
  /** The class of each image, an index into classNames. */
  readonly labels: ArrayLike<number>;
}

/**
 * A data set of images that are already in memory, of any sizes.
 * @throws FivecropError where there are no images, not one label an image, or a label is not of a class.
 */
export function inMemory({ name, classNames, images, labels }: InMemoryOptions): Dataset {
  if (images.length === 0) throw new FivecropError(`${name}: expected at least one image, received none`);
  checkLabels(name, labels, images.length, classNames);
  return { name, classNames, length: images.length, labels: Uint16Array.from(labels), image: (index) => images[index] };
}

/** @throws FivecropError where there is not one label for each image, or a label is not an index into the class names. */
export function checkLabels(name: string, labels: ArrayLike<number>, images: number, classNames: readonly string[]): void {
  if (labels.length !== images)
    throw new FivecropError(`${name}: expected one label for each of ${images} images, received ${labels.length} labels`);
  for (let i = 0; i < labels.length; i++)
    if (!(Number.isInteger(labels[i]) && labels[i] >= 0 && labels[i] < classNames.length))
      throw new FivecropError(
        `${name}: label ${i} is ${labels[i]}; expected a whole number from 0 to ${classNames.length - 1} (${classNames.length} classes: ${classNames.slice(0, 3).join(", ")}${classNames.length > 3 ? ", …" : ""})`,
      );
}
