import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { random } from "../../core/random.ts";
import { MODEL_MUTATIONS, seedModels } from "../end-to-end/fuzz/models.ts";
import { mutate } from "../end-to-end/fuzz/mutate.ts";
import { PICTURE_MUTATIONS, seedPictures } from "../end-to-end/fuzz/pictures.ts";
import { type LibraryPage, openLibrary } from "./library-page.ts";

const PICTURES = Number(process.env.FUZZ_PICTURES ?? 800);
const MODELS = Number(process.env.FUZZ_MODELS ?? 300);
const SEED = Number(process.env.FUZZ_SEED ?? 21);
const TOGETHER = 50;
/** One file, and all that are asked for together, in milliseconds: longer is a hang. */
const [SLOW, HANG] = [2000, 60_000];

type File = readonly [name: string, bytes: Uint8Array];

let library: LibraryPage;
beforeAll(async () => {
  library = await openLibrary();
});
afterAll(() => library.close());

/** @returns what went wrong, by the file's name, and how many were read and refused */
async function readAll(kind: "picture" | "model", files: readonly File[]) {
  const counts = { read: 0, refused: 0 };
  const faults: string[] = [];
  for (let from = 0; from < files.length; from += TOGETHER) {
    const part = files.slice(from, from + TOGETHER);
    const hung = new Promise<never>((_, failed) => {
      const timer = setTimeout(() => failed(new Error(`hung: one of ${part[0][0]} to ${part.at(-1)![0]}`)), HANG);
      timer.unref();
    });
    for (const [i, { refused, milliseconds }] of (await Promise.race([library.read(kind, part), hung])).entries()) {
      const [name, bytes] = part[i];
      counts[refused ? "refused" : "read"]++;
      const fault =
        (milliseconds > SLOW && `took ${milliseconds} ms`) ||
        (refused && !refused.isOurs && "another error") ||
        (refused && !refused.message.startsWith(name) && "names no file") ||
        (refused && /\n|undefined|\[object|not a function/.exec(refused.message)?.[0]);
      if (!fault) continue;
      writeFileSync(join(tmpdir(), name), bytes);
      faults.push(`${join(tmpdir(), name)}: ${fault}: ${refused?.message}`);
    }
  }
  console.log(`${kind}s: ${counts.read} read, ${counts.refused} refused`);
  return { faults, counts };
}

test(`${PICTURES} mutated pictures in one page: an Image or a FivecropError for each`, async () => {
  const { tiff: _, ...seeds } = await seedPictures(); // which no page reads
  const [all, formats, numbers] = [Object.values(seeds).flat(), Object.keys(seeds), random(SEED)];
  const files = Array.from({ length: PICTURES }, (_, i): File => {
    const [own, format] = [numbers.fork(i), formats[i % formats.length]];
    const seed = seeds[format][own.integer(seeds[format].length)];
    return [`fuzz-${i}.${format}`, mutate(seed, own, all[own.integer(all.length)], PICTURE_MUTATIONS(format))];
  });
  const { faults, counts } = await readAll("picture", files);
  expect(faults).toEqual([]);
  expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(PICTURES / 20);
});

test(`${MODELS} mutated models' metadata in one page`, async () => {
  const [seeds, numbers] = [seedModels().slice(0, -1), random(SEED + 1)]; // the last has megabytes, and says no more
  const files = Array.from({ length: MODELS }, (_, i): File => {
    const own = numbers.fork(i);
    return [`fuzz-${i}.onnx`, mutate(seeds[i % seeds.length], own, seeds[own.integer(seeds.length)], MODEL_MUTATIONS)];
  });
  const { faults, counts } = await readAll("model", files);
  expect(faults).toEqual([]);
  expect(Math.min(counts.read, counts.refused)).toBeGreaterThan(MODELS / 20);
});

test("the page goes on, and its console stayed silent", async () => {
  const [{ png }] = [await seedPictures()];
  expect((await library.decode(png[0])).width).toBe(40);
  expect(library.complaints).toEqual([]);
});
