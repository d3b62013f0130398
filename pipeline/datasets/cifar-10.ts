import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FivecropError } from "../../core/errors.ts";
import { fileReason } from "../../core/file-error.ts";
import type { Dataset } from "../dataset.ts";
import { createImage, type Image } from "../image.ts";
import type { PreprocessSpec } from "../preprocess.ts";
import { readBytes } from "../read-bytes.node.ts";

/** Whole 32×32 pictures, pixels on [−1, 1]. */
export const CIFAR_10_PREPROCESS: PreprocessSpec = {
  resize: 32,
  filter: "bilinear",
  crop: [32, 32],
  channels: 3,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};

/** The folder in ROOT/cifar-10 that the official archive unpacks to. */
export const CIFAR_10_FOLDER = "cifar-10-batches-bin";

const SPLITS = {
  train: [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`),
  test: ["test_batch.bin"],
} as const;
const NAMES = "batches.meta.txt";
const CLASSES = 10;
const PLANE = 32 * 32;
const RECORD = 1 + 3 * PLANE;
const FIX = "fetch it again (fivecrop datasets fetch cifar-10).";

async function read(path: string, folder: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT")
      throw new FivecropError(`${path}: cannot be read: ${fileReason(cause)}. To fix: make it a file that can be read, or ${FIX}`, {
        cause,
      });
    throw new FivecropError(
      `cifar-10: ${path} is missing. To fix: fivecrop datasets fetch cifar-10, or put the official binary batches into ${folder}, or say with --data-dir DIR or FIVECROP_DATA=DIR where DIR/cifar-10/${CIFAR_10_FOLDER} holds them.`,
      { cause },
    );
  }
}

/** Labels of a batch's records. */
async function readLabels(path: string, folder: string): Promise<Uint8Array> {
  const bytes = await read(path, folder);
  if (bytes.length === 0 || bytes.length % RECORD)
    throw new FivecropError(
      `${path}: is cut short or no CIFAR-10 batch: expected records of ${RECORD} bytes (a label and 3 × 32 × 32 pixels), found ${bytes.length} bytes: ${Math.floor(bytes.length / RECORD)} records and ${bytes.length % RECORD} bytes. To fix: ${FIX}`,
    );
  const labels = Uint8Array.from({ length: bytes.length / RECORD }, (_, i) => bytes[i * RECORD]);
  const wrong = labels.findIndex((label) => label >= CLASSES);
  if (wrong >= 0)
    throw new FivecropError(
      `${path}: record ${wrong} is of class ${labels[wrong]}: expected a label from 0 to ${CLASSES - 1}. To fix: ${FIX}`,
    );
  return labels;
}

async function readClassNames(path: string, folder: string): Promise<readonly string[]> {
  const names = (await read(path, folder))
    .toString("utf8")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter(Boolean);
  if (names.length !== CLASSES)
    throw new FivecropError(`${path}: expected ${CLASSES} class names, a line each, found ${names.length}. To fix: ${FIX}`);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new FivecropError(`${path}: expected a name of its own for each class, found '${twice}' twice. To fix: ${FIX}`);
  return names;
}

/** Record `place` of a batch: red, green and blue planes become interleaved pixels. */
function readRecord(path: string, place: number): Image {
  const planes = new Uint8Array(3 * PLANE);
  readBytes(path, place * RECORD + 1, planes, `record ${place}`, FIX);
  const image = createImage(32, 32, 3);
  for (let i = 0; i < PLANE; i++) for (let c = 0; c < 3; c++) image.data[3 * i + c] = planes[c * PLANE + i];
  return image;
}

/**
 * CIFAR-10 from its official binary batches in ROOT/cifar-10/cifar-10-batches-bin: 50,000 + 10,000 colour pictures, 32×32. Pixels stay in the files.
 * @throws FivecropError that names the file: missing, cut short, or with a label or a number of names out of range.
 * @see https://www.cs.toronto.edu/~kriz/cifar.html
 */
export async function openCifar10(root: string, split: keyof typeof SPLITS): Promise<Dataset> {
  const folder = join(root, "cifar-10", CIFAR_10_FOLDER);
  const files = SPLITS[split].map((name) => join(folder, name));
  const batches: Uint8Array[] = [];
  for (const file of files) batches.push(await readLabels(file, folder));
  const classNames = await readClassNames(join(folder, NAMES), folder);
  const places = batches.flatMap((labels, batch) => Array.from(labels, (_, place) => ({ batch, place })));
  return {
    name: "cifar-10",
    classNames,
    length: places.length,
    labels: Uint16Array.from(batches.flatMap((labels) => [...labels])),
    image: (index) => readRecord(files[places[index].batch], places[index].place),
    description: { name: "cifar-10", root, split },
  };
}
