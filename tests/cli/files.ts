import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { FASHION_MNIST_SPLITS } from "../../pipeline/datasets/fashion-mnist.ts";

/** An IDX file's bytes: its magic number, dimensions and elements. */
export function idx(magic: number, shape: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  for (const [i, value] of [magic, ...shape].entries()) header.writeUInt32BE(value, 4 * i);
  return Buffer.concat([header, data]);
}

export const COUNT = 40;
export const IMAGES = idx(
  0x803,
  [COUNT, 28, 28],
  Uint8Array.from({ length: COUNT * 784 }, (_, i) => i % 251),
);
export const LABELS = idx(
  0x801,
  [COUNT],
  Uint8Array.from({ length: COUNT }, (_, i) => i % 10),
);

/** A data root with both splits of a small Fashion-MNIST, these files of the training split instead of good ones. */
export async function writeDataRoot(
  root: string,
  { images = IMAGES, labels = LABELS }: { readonly images?: Uint8Array; readonly labels?: Uint8Array },
): Promise<void> {
  const folder = join(root, "fashion-mnist");
  await mkdir(folder, { recursive: true });
  for (const part of Object.values(FASHION_MNIST_SPLITS)) {
    await writeFile(join(folder, `${part}-images-idx3-ubyte`), part === "train" ? images : IMAGES);
    await writeFile(join(folder, `${part}-labels-idx1-ubyte`), part === "train" ? labels : LABELS);
  }
}

/** A PNG whose header says this size. Its checksums are not right: a reader that looks at the size first does not come to them. */
export function pngOfSize(width: number, height: number): Buffer {
  const chunk = (type: string, content: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(content.length);
    return Buffer.concat([length, Buffer.from(type, "latin1"), content, Buffer.alloc(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8; // bits; gray
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(Buffer.alloc(1))), chunk("IEND", Buffer.alloc(0))]);
}
