import { resolve } from "node:path";
import envPaths from "env-paths";
import { UsageError } from "../../core/errors.ts";
import { lookUp } from "../../core/nearest.ts";
import { type Dataset, type DatasetDescription, subset } from "../dataset.ts";
import { openPacked } from "../packed.node.ts";
import type { PreprocessSpec } from "../preprocess.ts";
import { PRESETS } from "../presets.ts";
import { CIFAR_10_PREPROCESS, openCifar10 } from "./cifar-10.ts";
import { FASHION_MNIST_PREPROCESS, openFashionMnist, openFashionMnistSample } from "./fashion-mnist.ts";
import { openFlowers102 } from "./flowers-102.ts";
import { folderEntry } from "./folder.ts";
import { MINIPLACES_PREPROCESS, openMiniPlaces } from "./miniplaces.ts";
import { type DatasetSource, SOURCES } from "./source.ts";

export { fileName, isFolderName, publicName, resolveName } from "./folder.ts";

/** What the project knows about one data set. */
export interface DatasetEntry {
  readonly summary: string;
  /** How its images become a network's input where nothing else is asked for. */
  readonly defaultPreprocess: PreprocessSpec;
  /**
   * `train` and `test`; `validation` where it brings its own; `all` where it is not split.
   * @param root the folder of all data sets
   */
  readonly splits: Readonly<Record<string, (root: string) => Promise<Dataset>>>;
  /** Absent where nothing is to be fetched. */
  readonly source?: DatasetSource;
}

export const DATASETS = {
  "fashion-mnist": {
    summary: "70,000 gray pictures of clothing, 28×28, 10 classes (60,000 train, 10,000 test)",
    defaultPreprocess: FASHION_MNIST_PREPROCESS,
    splits: { train: (root) => openFashionMnist(root, "train"), test: (root) => openFashionMnist(root, "test") },
    source: SOURCES["fashion-mnist"],
  },
  "fashion-mnist-sample": {
    summary: "7,000 of them, embedded in the package (6,000 train, 1,000 test)",
    defaultPreprocess: FASHION_MNIST_PREPROCESS,
    splits: { train: (root) => openFashionMnistSample(root, "train"), test: (root) => openFashionMnistSample(root, "test") },
  },
  "cifar-10": {
    summary: "60,000 colour pictures of things and animals, 32×32, 10 classes (50,000 train, 10,000 test)",
    defaultPreprocess: CIFAR_10_PREPROCESS,
    splits: { train: (root) => openCifar10(root, "train"), test: (root) => openCifar10(root, "test") },
    source: SOURCES["cifar-10"],
  },
  miniplaces: {
    summary: "120,000 photos of 100 scenes, 128×128 (100,000 train, 10,000 validation, 10,000 test)",
    defaultPreprocess: MINIPLACES_PREPROCESS,
    splits: {
      train: (root) => openMiniPlaces(root, "train"),
      validation: (root) => openMiniPlaces(root, "validation"),
      test: (root) => openMiniPlaces(root, "test"),
    },
    source: SOURCES.miniplaces,
  },
  "flowers-102": {
    summary: "8,189 photos of 102 kinds of flowers (6,552 train, 818 validation, 819 test)",
    defaultPreprocess: PRESETS.imagenet,
    splits: {
      train: (root) => openFlowers102(root, "train"),
      validation: (root) => openFlowers102(root, "validation"),
      test: (root) => openFlowers102(root, "test"),
    },
    source: SOURCES["flowers-102"],
  },
} satisfies Record<string, DatasetEntry>;

/**
 * What is known about a data set, by its name or as `folder:PATH`.
 * @throws UsageError with the nearest name where there is no such data set; FivecropError where a folder cannot be read.
 */
export async function datasetEntry(name: string): Promise<DatasetEntry> {
  const folder = await folderEntry(name);
  if (folder) return folder;
  try {
    return lookUp<DatasetEntry>("data set", DATASETS, name);
  } catch (cause) {
    throw cause instanceof UsageError ? new UsageError(`${cause.message} A folder of pictures is folder:PATH.`, { cause }) : cause;
  }
}

/** The cache folder of the user's. */
export const cacheRoot = (): string => envPaths("fivecrop", { suffix: "" }).cache;

/** The folder of all data sets, each in ROOT/NAME: as asked for, else FIVECROP_DATA, else a cache folder of the user's. */
export const dataRoot = (asked?: string): string => resolve(asked || process.env.FIVECROP_DATA || cacheRoot());

/** The split to train on. */
export const trainingSplit = ({ splits }: DatasetEntry): string => ("all" in splits ? "all" : "train");

/** Of the splits that there are, the one to measure on where none is asked for. */
export const evaluationSplit = ({ splits }: DatasetEntry): string =>
  ["all", "test", "validation"].find((split) => Object.hasOwn(splits, split)) ?? "train";

/**
 * The data set of a description.
 * @throws UsageError where its name or split is unknown; FivecropError where its files are missing or damaged.
 */
export async function openDataset({ name, root, split, indices, packed }: DatasetDescription): Promise<Dataset> {
  const open = async (): Promise<Dataset> => lookUp(`split of ${name}`, (await datasetEntry(name)).splits, split)(root);
  const dataset = packed === undefined ? await open() : await openPacked({ name, root, split, packed });
  return indices ? subset(dataset, indices) : dataset;
}
