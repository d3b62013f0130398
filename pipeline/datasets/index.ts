import { resolve } from "node:path";
import envPaths from "env-paths";
import { lookUp } from "../../core/nearest.ts";
import { type Dataset, type DatasetDescription, subset } from "../dataset.ts";
import type { PreprocessSpec } from "../preprocess.ts";
import { FASHION_MNIST_PREPROCESS, openFashionMnist, openFashionMnistSample } from "./fashion-mnist.ts";

/** What the project knows about one data set. */
export interface DatasetEntry {
  readonly summary: string;
  /** How its images become a network's input where nothing else is asked for. */
  readonly defaultPreprocess: PreprocessSpec;
  /** @param root the folder of all data sets */
  readonly splits: Readonly<Record<string, (root: string) => Promise<Dataset>>>;
}

export const DATASETS = {
  "fashion-mnist": {
    summary: "70,000 gray pictures of clothing, 28×28, 10 classes (60,000 train, 10,000 test)",
    defaultPreprocess: FASHION_MNIST_PREPROCESS,
    splits: { train: (root) => openFashionMnist(root, "train"), test: (root) => openFashionMnist(root, "test") },
  },
  "fashion-mnist-sample": {
    summary: "7,000 of them, embedded in the package (6,000 train, 1,000 test)",
    defaultPreprocess: FASHION_MNIST_PREPROCESS,
    splits: { train: (root) => openFashionMnistSample(root, "train"), test: (root) => openFashionMnistSample(root, "test") },
  },
} satisfies Record<string, DatasetEntry>;

/** @throws UsageError with the nearest name where there is no such data set. */
export const datasetEntry = (name: string): DatasetEntry => lookUp<DatasetEntry>("data set", DATASETS, name);

/** The folder of all data sets, each in ROOT/NAME: as asked for, else FIVECROP_DATA, else a cache folder of the user's. */
export const dataRoot = (asked?: string): string =>
  resolve(asked || process.env.FIVECROP_DATA || envPaths("fivecrop", { suffix: "" }).cache);

/**
 * The data set of a description.
 * @throws UsageError where its name or split is unknown; FivecropError where its files are missing or damaged.
 */
export async function openDataset({ name, root, split, indices }: DatasetDescription): Promise<Dataset> {
  const dataset = await lookUp(`split of ${name}`, datasetEntry(name).splits, split)(root);
  return indices ? subset(dataset, indices) : dataset;
}
