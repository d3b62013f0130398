import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, vi } from "vitest";
import { random } from "../../core/random.ts";
import type { DATASETS } from "../../pipeline/datasets/index.ts";
import { idx } from "../cli/files.ts";
import { classes, under, writeTree } from "../pipeline/make-pictures.ts";

const noise = random(1);
const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => noise.integer(256));

async function writeFashionMnist(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [part, count] of Object.entries({ train: 6, t10k: 2 })) {
    await writeFile(join(folder, `${part}-images-idx3-ubyte`), idx(0x803, [count, 28, 28], bytes(count * 784)));
    await writeFile(
      join(folder, `${part}-labels-idx1-ubyte`),
      idx(
        0x801,
        [count],
        Uint8Array.from({ length: count }, (_, i) => i),
      ),
    );
  }
}

async function writeCifar10(folder: string): Promise<void> {
  const inside = join(folder, "cifar-10-batches-bin");
  await mkdir(inside, { recursive: true });
  await writeFile(join(inside, "batches.meta.txt"), Array.from({ length: 10 }, (_, i) => `class ${i}\n`).join(""));
  const record = (label: number): Uint8Array => Buffer.concat([Uint8Array.of(label), bytes(3072)]);
  for (const [i, count] of [1, 1, 1, 1, 2].entries())
    await writeFile(join(inside, `data_batch_${i + 1}.bin`), Buffer.concat(Array.from({ length: count }, (_, j) => record(i + j))));
  await writeFile(join(inside, "test_batch.bin"), Buffer.concat([record(0), record(1)]));
}

const pictures = (folders: readonly string[], validation: string) => ({
  ...under("train", classes(folders, 2)),
  ...under(validation, classes(folders, 1)),
  ...under("test", classes(folders, 1)),
});

const writeMiniPlaces = (folder: string): Promise<void> =>
  writeTree(folder, { ...pictures(["abbey", "bar"], "val"), "category_names.json": '{ "i2c": ["bar", "abbey"] }' });

const writeFlowers102 = (folder: string): Promise<void> =>
  writeTree(folder, { ...pictures(["1", "10"], "valid"), "cat_to_name.json": '{ "1": "pink primrose", "10": "globe thistle" }' });

const WRITERS: Readonly<Record<Exclude<keyof typeof DATASETS, "fashion-mnist-sample">, (folder: string) => Promise<void>>> = {
  "fashion-mnist": writeFashionMnist,
  "cifar-10": writeCifar10,
  miniplaces: writeMiniPlaces,
  "flowers-102": writeFlowers102,
};

const roots: string[] = [];
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const root of roots) await rm(root, { recursive: true, force: true });
});

/**
 * A new folder with every data set that is not in the package, in its official format: two pictures to validate on and four to train on, or six where
 * it is not split. Until the test file's end it holds the cache of decoded pictures as well; then it goes away.
 */
export async function tinyData(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "fivecrop-tiny-"));
  roots.push(root);
  for (const name of ["XDG_CACHE_HOME", "LOCALAPPDATA"]) vi.stubEnv(name, join(root, "cache"));
  for (const [name, write] of Object.entries(WRITERS)) await write(join(root, name));
  return root;
}
