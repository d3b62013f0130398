import type { SourceFile } from "../../core/download.node.ts";
import { SPLIT_FOLDERS } from "./split-folders.ts";

/** Where a data set comes from. */
export interface DatasetSource {
  /** The page of its authors. */
  readonly home: string;
  /** Archives and plain files; none where it is published nowhere in this layout. */
  readonly files: readonly SourceFile[];
  /** Its files are taken as they are, compressed or not. */
  readonly plain?: boolean;
  /** A file or folder by which the folder of the data set is found in an archive or a directory; `.gz` may follow. */
  readonly marker: string;
  /** The files and folders that it consists of, those that there are; `.gz` may follow. What lies beside them is left where it is. */
  readonly parts: readonly string[];
  /** What is found goes to this folder in ROOT/NAME. */
  readonly into?: string;
  /** A file that may lie beside or above what is found, and belongs to it. */
  readonly companion?: string;
  readonly note?: string;
}

const SPLITS = Object.values(SPLIT_FOLDERS).flat();
const fashionMnist = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com";

export const SOURCES = {
  "fashion-mnist": {
    home: "https://github.com/zalandoresearch/fashion-mnist",
    files: [
      { url: `${fashionMnist}/train-images-idx3-ubyte.gz`, bytes: 26421880, md5: "8d4fb7e6c68d591d4c3dfef9ec88bf0d" },
      { url: `${fashionMnist}/train-labels-idx1-ubyte.gz`, bytes: 29515, md5: "25c81989df183df01b3e8a0aad5dffbe" },
      { url: `${fashionMnist}/t10k-images-idx3-ubyte.gz`, bytes: 4422102, md5: "bef4ecab320f06d8554ea6380940ec79" },
      { url: `${fashionMnist}/t10k-labels-idx1-ubyte.gz`, bytes: 5148, md5: "bb300cfdad3c16e7a12a480ee83cd310" },
    ],
    plain: true,
    marker: "train-images-idx3-ubyte",
    parts: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
  },
  "cifar-10": {
    home: "https://www.cs.toronto.edu/~kriz/cifar.html",
    files: [{ url: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", bytes: 170052171, md5: "c32a1d4ab5d03f1284b67883e8d87530" }],
    marker: "data_batch_1.bin",
    parts: [...[1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`), "test_batch.bin", "batches.meta.txt"],
    into: "cifar-10-batches-bin",
  },
  miniplaces: {
    home: "https://github.com/CSAILVision/miniplaces",
    files: [],
    marker: "train",
    parts: [...SPLITS, "category_names.json"],
    companion: "category_names.json",
    note:
      "The challenge's own archive (http://miniplaces.csail.mit.edu/data/data.tar.gz) has its folders in another layout and its test pictures without labels. " +
      "Expected with --from: an archive or directory of train, val and test, each with a folder for every scene, and category_names.json.",
  },
  "flowers-102": {
    home: "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
    files: [
      { url: "https://s3.amazonaws.com/content.udacity-data.com/nd089/flower_data.tar.gz" },
      { url: "https://raw.githubusercontent.com/udacity/pytorch_challenge/master/cat_to_name.json" },
    ],
    marker: "train",
    parts: [...SPLITS, "cat_to_name.json"],
    companion: "cat_to_name.json",
    note: "Its authors publish all pictures in one folder and the labels as MATLAB files; the layout of train, valid and test folders is Udacity's, which publishes no hashes.",
  },
} as const satisfies Record<string, DatasetSource>;
