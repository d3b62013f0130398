import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Dataset } from "../dataset.ts";
import type { PreprocessSpec } from "../preprocess.ts";
import { openIdx } from "./idx.ts";

export const FASHION_MNIST_CLASSES = [
  "T-shirt/top",
  "Trouser",
  "Pullover",
  "Dress",
  "Coat",
  "Sandal",
  "Shirt",
  "Sneaker",
  "Bag",
  "Ankle boot",
] as const;

/** Whole 28×28 pictures, pixels on [−1, 1]. */
export const FASHION_MNIST_PREPROCESS: PreprocessSpec = {
  resize: 28,
  filter: "bilinear",
  crop: [28, 28],
  channels: 1,
  mean: [0.5],
  std: [0.5],
};

/** The first part of a split's official file names. */
export const FASHION_MNIST_SPLITS = { train: "train", test: "t10k" } as const;
type FashionMnistSplit = keyof typeof FASHION_MNIST_SPLITS;

/** Where the embedded sample and its pictures are. */
export const SAMPLE_FOLDER = fileURLToPath(new URL("./sample/", import.meta.url));

const open = (name: string, root: string, folder: string, split: FashionMnistSplit, howToGet: string): Promise<Dataset> =>
  openIdx({
    description: { name, root, split },
    folder,
    imagesFile: `${FASHION_MNIST_SPLITS[split]}-images-idx3-ubyte`,
    labelsFile: `${FASHION_MNIST_SPLITS[split]}-labels-idx1-ubyte`,
    classNames: FASHION_MNIST_CLASSES,
    size: [28, 28],
    howToGet,
  });

/**
 * Fashion-MNIST from its four official files in ROOT/fashion-mnist: 60,000 + 10,000 gray pictures of clothing, 28×28.
 * @see https://github.com/zalandoresearch/fashion-mnist
 */
export const openFashionMnist = (root: string, split: FashionMnistSplit): Promise<Dataset> => {
  const name = "fashion-mnist";
  const files = Object.values(FASHION_MNIST_SPLITS).flatMap((part) => [`${part}-images-idx3-ubyte.gz`, `${part}-labels-idx1-ubyte.gz`]);
  const howToGet = `To fix: put its four official files (${files.join(", ")}; from https://github.com/zalandoresearch/fashion-mnist) into ${join(root, name)}, or say with --data-dir DIR or FIVECROP_DATA=DIR where DIR/${name} holds them. fashion-mnist-sample needs no files.`;
  return open(name, root, join(root, name), split, howToGet);
};

/** The embedded sample: 600 training and 100 test pictures of each class, drawn from the official ones. */
export const openFashionMnistSample = (root: string, split: FashionMnistSplit): Promise<Dataset> =>
  open("fashion-mnist-sample", root, SAMPLE_FOLDER, split, "It is part of the package. To fix: install the package again.");
