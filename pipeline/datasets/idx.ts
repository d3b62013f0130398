import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { FivecropError, messageOf } from "../../core/errors.ts";
import { fileReason } from "../../core/file-error.ts";
import { checkLabels, type Dataset, type DatasetDescription } from "../dataset.ts";

const IMAGES = 0x803; // unsigned bytes in three dimensions
const LABELS = 0x801; // unsigned bytes in one
const LARGEST_FILE = 2 ** 31;
const FETCH = "To fix: fetch the file again from where the data set is published.";

const hex = (magic: number): string => `0x${magic.toString(16).padStart(8, "0")}`;

/** A file's bytes, unzipped where they are gzip's, whatever the name says; undefined where there is no such file. */
async function readMaybeGzipped(path: string): Promise<Buffer | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT" || (cause as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw new FivecropError(`${path}: cannot be read: ${fileReason(cause)}. To fix: make it readable.`, { cause });
  }
  if (bytes.length < 2 || bytes.readUInt16BE(0) !== 0x1f8b) return bytes;
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: LARGEST_FILE });
  } catch (cause) {
    throw new FivecropError(
      `${path}: its gzip data are corrupt or cut short: expected a whole gzip stream, found ${bytes.length} bytes that cannot be unzipped (${messageOf(cause)}). ${FETCH}`,
      { cause },
    );
  }
}

/** The header's dimensions and the elements after it, checked against each other. */
function parseIdx(path: string, bytes: Buffer, magic: number): { readonly shape: readonly number[]; readonly data: Uint8Array } {
  const rank = magic & 0xff;
  const header = 4 + 4 * rank;
  if (bytes.length < header)
    throw new FivecropError(`${path}: is cut short: expected a header of ${header} bytes, found ${bytes.length} bytes in all. ${FETCH}`);
  const found = bytes.readUInt32BE(0);
  if (found !== magic)
    throw new FivecropError(
      `${path}: is not the IDX file it should be: expected the magic number ${hex(magic)} (${magic === IMAGES ? "images" : "labels"}), found ${hex(found)}${found === IMAGES ? " (images)" : found === LABELS ? " (labels)" : ""}. ${FETCH}`,
    );
  const shape = Array.from({ length: rank }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const size = shape.reduce((a, b) => a * b);
  if (bytes.length - header !== size)
    throw new FivecropError(
      `${path}: ${bytes.length - header < size ? "is cut short" : "is too long"}: its header says ${shape.join(" × ")} = ${size} bytes, found ${bytes.length - header}. ${FETCH}`,
    );
  if (size === 0) throw new FivecropError(`${path}: expected at least one element, its header says ${shape.join(" × ")}. ${FETCH}`);
  return { shape, data: new Uint8Array(bytes.buffer, bytes.byteOffset + header, size) };
}

export interface IdxDataset {
  readonly description: DatasetDescription;
  readonly folder: string;
  /** Names without .gz, which may follow. */
  readonly imagesFile: string;
  readonly labelsFile: string;
  readonly classNames: readonly string[];
  /** Of each image, in pixels. */
  readonly size: readonly [height: number, width: number];
  /** Said where a file is missing: how to get the data. */
  readonly howToGet: string;
}

/**
 * A data set of gray images in MNIST's IDX format, two files, gzipped or not.
 * @throws FivecropError that names the file: missing, cut short, gzip-corrupt, of another magic number, of another length than its partner, with images of another size, or with a label out of range.
 * @see http://yann.lecun.com/exdb/mnist/
 */
export async function openIdx(options: IdxDataset): Promise<Dataset> {
  const { description, folder, imagesFile, labelsFile, classNames, size: expected, howToGet } = options;
  const read = async (name: string, magic: number) => {
    for (const path of [join(folder, `${name}.gz`), join(folder, name)]) {
      const bytes = await readMaybeGzipped(path);
      if (bytes) return { path, ...parseIdx(path, bytes, magic) };
    }
    throw new FivecropError(
      `${description.name}: ${join(folder, name)}.gz is missing (unzipped, as ${name}, it would do too). ${howToGet}`,
    );
  };
  const images = await read(imagesFile, IMAGES); // one after the other: of two missing files the same one is always named
  const labels = await read(labelsFile, LABELS);
  const [length, height, width] = images.shape;
  if (height !== expected[0] || width !== expected[1])
    throw new FivecropError(
      `${images.path}: expected images of ${expected.join(" × ")} pixels, its header says ${height} × ${width}: it is of another data set. ${FETCH}`,
    );
  if (labels.data.length !== length)
    throw new FivecropError(
      `${labels.path}: expected a label for each of the ${length} images of ${basename(images.path)}, found ${labels.data.length}. To fix: fetch both files from the same place.`,
    );
  checkLabels(labels.path, labels.data, length, classNames);
  const size = height * width;
  return {
    name: description.name,
    classNames,
    length,
    labels: Uint16Array.from(labels.data),
    image: (index) => ({ width, height, channels: 1, data: images.data.subarray(index * size, index * size + size) }),
    description,
  };
}
