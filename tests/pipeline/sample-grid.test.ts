import { expect, test } from "vitest";
import { inMemory } from "../../pipeline/dataset.ts";
import { sampleGrid } from "../../pipeline/datasets/sample-grid.ts";
import { createImage } from "../../pipeline/image.ts";

const gridOf = async (...classNames: readonly string[]): Promise<Uint8Array> => {
  const images = classNames.map((_, i) => createImage(4, 4, 1, new Uint8Array(16).fill(30 * i)));
  const dataset = inMemory({ name: "names", classNames, images, labels: classNames.map((_, i) => i) });
  return (await sampleGrid(dataset, { count: classNames.length, seed: 0 })).png;
};

test.each(["Łódź", "Việt Nam", "σκύλος", "собака"])("%s is drawn in its own letters", async (name) => {
  const letters = [...name.normalize("NFC")];
  for (const [i, letter] of letters.entries())
    if (letter !== " ") expect(await gridOf(name), letter).not.toEqual(await gridOf(letters.with(i, "?").join("")));
});

test("a name is drawn alike however its accents are written, as file systems differ in it", async () => {
  expect(await gridOf("café")).toEqual(await gridOf("cafe\u0301"));
});

test("letters of other scripts are question marks", async () => {
  expect(await gridOf("日本 cat")).toEqual(await gridOf("?? cat"));
});
