import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FivecropError, UsageError } from "../../core/errors.ts";
import { splitDataset } from "../../pipeline/dataset.ts";
import { datasetEntry, fileName, openDataset, publicName, resolveName } from "../../pipeline/datasets/index.ts";
import { classes, type PictureOptions, under, writeTree } from "./make-pictures.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fivecrop-folder-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = (split = "all", path = root) => openDataset({ name: `folder:${path}`, root: "unused", split });
const small: PictureOptions = { width: 8, height: 8 };

describe("folder:PATH", () => {
  test("class folders by name, their pictures by name; hidden files are not there, other files are told of", async () => {
    await writeTree(root, {
      "b/2.png": { ...small, seed: 2 },
      "b/1.JPG": { ...small, seed: 1 },
      "a/z.jpeg": small,
      "10/x.webp": small,
      "2/x.jpg": small,
      ".git/x.jpg": small,
      "a/.DS_Store": "x",
      "a/notes.txt": "x",
      "readme.md": "x",
    });
    const dataset = await open();
    expect(dataset.classNames).toEqual(["10", "2", "a", "b"]);
    const files = Array.from({ length: dataset.length }, (_, i) => relative(root, dataset.file!(i)));
    expect(files).toEqual(["10/x.webp", "2/x.jpg", "a/z.jpeg", "b/1.JPG", "b/2.png"]);
    expect([...dataset.labels]).toEqual([0, 1, 2, 3, 3]);
    expect(dataset.notes).toEqual([
      `2 files that are no pictures of a class are left out (1 .md, 1 .txt), such as ${join(root, "readme.md")}`,
    ]);
    expect(await dataset.image(4)).toMatchObject({ width: 8, height: 8, channels: 3 });
    expect(Object.keys((await datasetEntry(`folder:${root}`)).splits)).toEqual(["all"]);
  });

  test("one split is split by seed", async () => {
    await writeTree(root, classes(["cat", "dog"], 10));
    const dataset = await open();
    const { training, validation } = splitDataset(dataset, 0.2, 3);
    expect([training.length, validation.length]).toEqual([16, 4]);
    const again = splitDataset(await open(), 0.2, 3);
    const filesOf = (part: typeof training) => Array.from({ length: part.length }, (_, i) => part.file!(i));
    expect(filesOf(again.validation)).toEqual(filesOf(validation));
    expect(filesOf(splitDataset(dataset, 0.2, 4).validation)).not.toEqual(filesOf(validation));
    await expect(open("test")).rejects.toThrow("There are: all.");
  });

  test.each(["val", "valid", "validation"])("train, %s and test folders", async (validation) => {
    await writeTree(root, {
      ...under("train", classes(["a", "b", "c"], 2)),
      ...under(validation, classes(["c", "a"], 1)),
      ...under("test", classes(["b"], 3)),
    });
    expect(Object.keys((await datasetEntry(`folder:${root}`)).splits)).toEqual(["train", "validation", "test"]);
    expect([...(await open("train")).labels]).toEqual([0, 0, 1, 1, 2, 2]);
    const validated = await open("validation");
    expect([validated.classNames, [...validated.labels]]).toEqual([
      ["a", "b", "c"],
      [0, 2],
    ]);
    expect([...(await open("test")).labels]).toEqual([1, 1, 1]);
    await expect(open("all")).rejects.toThrow("There are: train, validation, test.");
  });

  test("a class that is called like a split is a class where there is no train folder", async () => {
    await writeTree(root, classes(["test", "exam"], 1));
    expect((await open()).classNames).toEqual(["exam", "test"]);
  });

  test("pictures in folders of a class count to it, and that is told", async () => {
    await writeTree(root, { "a/1.jpg": small, "a/more/deep/2.jpg": small, "b/1.jpg": small });
    const dataset = await open();
    expect([...dataset.labels]).toEqual([0, 0, 1]);
    expect(dataset.notes).toEqual([
      `2 folders in class folders: their pictures count to the class, such as those of ${join(root, "a", "more", "deep")} to 'a'`,
    ]);
  });

  test("mixed files: pictures of no class and files of other kinds are told of, by kind", async () => {
    await writeTree(root, {
      ...classes(["a", "b"], 1),
      "loose.png": small,
      "a/IMG_1.HEIC": "x",
      "a/IMG_2.heic": "x",
      "b/scan.pdf": "x",
      "b/LICENSE": "x",
    });
    const dataset = await open();
    expect(dataset.length).toBe(2);
    expect(dataset.notes).toEqual([
      `1 picture beside the class folders is of no class and left out, such as ${join(root, "loose.png")}`,
      `4 files that are no pictures of a class are left out (2 .heic, 1 without an ending, 1 .pdf), such as ${join(root, "a", "IMG_1.HEIC")}`,
    ]);
  });

  test("links to class folders and pictures are followed, links to folders in a class and circles too far are not endless", async () => {
    await writeTree(root, { "elsewhere/x/1.jpg": small, "data/a/1.jpg": small });
    await symlink(join(root, "elsewhere", "x"), join(root, "data", "b"));
    await symlink(join(root, "elsewhere", "x", "1.jpg"), join(root, "data", "a", "2.jpg"));
    await symlink(join(root, "data", "a"), join(root, "data", "a", "circle"));
    const dataset = await open("all", join(root, "data"));
    expect([...dataset.labels]).toEqual([0, 0, 1]);
  });

  test.each<[string, Record<string, PictureOptions | string>, string]>([
    ["pictures, but no class folders", { "1.jpg": small, "2.jpg": small }, "holds 2 pictures, such as 1.jpg, but no class folders"],
    ["nothing", {}, "holds neither folders nor pictures"],
    ["one class only", { "cat/1.jpg": small }, "holds one class only, 'cat'. Expected at least two class folders."],
    ["one folder too high", { "set/cat/1.jpg": small, "set/dog/1.jpg": small }, "which holds 2 folders"],
    ["an empty class folder", { "cat/1.jpg": small, "dog/none.txt": "x" }, "dog: the class folder has no pictures"],
    [
      "a class folder of other files",
      { "cat/1.jpg": small, "dog/1.heic": "x", "dog/2.heic": "x" },
      "dog: the class folder has no pictures, but 2 other files (2 .heic), such as 1.heic. Expected JPEG",
    ],
    [
      "several empty class folders",
      { "cat/1.jpg": small, "dog/a.txt": "x", "eel/a.txt": "x" },
      "2 class folders have no pictures: 'dog', 'eel'. Expected",
    ],
    ["empty folders in a class folder", { "cat/1.jpg": small, "dog/deeper/.keep": "" }, "dog: the class folder has no pictures. Expected"],
    ["two validation folders", { "train/a/1.jpg": small, "val/a/1.jpg": small, "valid/a/1.jpg": small }, "found valid and val"],
  ])("%s: one message", async (_, files, message) => {
    await writeTree(root, files);
    const error = await open().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FivecropError);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).toContain(root);
  });

  test("a class of the test pictures that was not trained on", async () => {
    await writeTree(root, { ...under("train", classes(["a", "b"], 1)), ...under("test", classes(["a", "x"], 1)) });
    await expect(open("test")).rejects.toThrow(`${join(root, "test", "x")}: is no class of`);
  });

  test("a path that is not there, or a file", async () => {
    await expect(open("all", join(root, "none"))).rejects.toThrow(`${join(root, "none")}: there is no such folder`);
    await writeTree(root, { "a.jpg": small });
    await expect(open("all", join(root, "a.jpg"))).rejects.toThrow("this is a file");
  });

  test("its name", () => {
    expect(resolveName("folder:some/photos")).toBe(`folder:${join(process.cwd(), "some/photos")}`);
    expect(resolveName("cifar-10")).toBe("cifar-10");
    expect(publicName("folder:/home/someone/secret/photos")).toBe("folder:photos");
    expect([fileName("folder:/a/photos"), fileName("miniplaces")]).toEqual(["photos", "miniplaces"]);
    expect(() => resolveName("folder:")).toThrow(UsageError);
  });
});

describe("flowers-102", () => {
  const write = (names: string) =>
    writeTree(join(root, "flowers-102"), {
      ...under("train", classes(["1", "2", "10"], 1)),
      ...under("valid", classes(["2"], 1)),
      ...under("test", classes(["10"], 1)),
      "cat_to_name.json": names,
    });
  const openFlowers = (split: string) => openDataset({ name: "flowers-102", root, split });

  test("classes are called as cat_to_name.json says, in the order of their folders as text", async () => {
    await write('{ "2": "hard-leaved pocket orchid", "1": "pink primrose", "10": "globe thistle" }');
    expect((await openFlowers("train")).classNames).toEqual(["pink primrose", "globe thistle", "hard-leaved pocket orchid"]);
    expect([[...(await openFlowers("validation")).labels], [...(await openFlowers("test")).labels]]).toEqual([[2], [1]]);
  });

  test.each([
    ["no JSON", "{", "expected JSON"],
    ["a folder without a name", '{ "1": "a", "2": "b" }', "expected the name of class folder '10', found none"],
    ["a name twice", '{ "1": "a", "2": "b", "10": "a" }', "found 'a' twice"],
    ["a list", "[1]", "expected the name of class folder '1', found none"],
  ])("%s", async (_, names, message) => {
    await write(names);
    await expect(openFlowers("train")).rejects.toThrow(message);
  });

  test("not there", async () => {
    await expect(openFlowers("train")).rejects.toThrow("fivecrop datasets fetch flowers-102");
    await mkdir(join(root, "flowers-102", "train", "1"), { recursive: true });
    await writeTree(join(root, "flowers-102", "train"), classes(["1", "2"], 1));
    await expect(openFlowers("train")).rejects.toThrow("cat_to_name.json: cannot be read");
  });
});

describe("miniplaces", () => {
  const write = (names: string) =>
    writeTree(join(root, "miniplaces"), {
      ...under("train", classes(["abbey", "bar", "coast"], 1)),
      ...under("val", classes(["bar"], 1)),
      ...under("test", classes(["abbey"], 1)),
      "category_names.json": names,
    });
  const openPlaces = (split: string) => openDataset({ name: "miniplaces", root, split });

  test("classes are in the order of category_names.json", async () => {
    await write('{ "i2c": ["coast", "abbey", "bar"] }');
    const training = await openPlaces("train");
    expect([training.classNames, [...training.labels]]).toEqual([
      ["coast", "abbey", "bar"],
      [0, 1, 2],
    ]);
    expect(training.file!(0)).toContain("coast");
    expect([[...(await openPlaces("validation")).labels], [...(await openPlaces("test")).labels]]).toEqual([[2], [1]]);
    await expect(openPlaces("val")).rejects.toThrow("Did you mean 'validation'?");
  });

  test.each([
    ["a class that is not listed", '{ "i2c": ["coast", "abbey"] }', "'bar' is a class folder, but not among its names"],
    ["a name without a folder", '{ "i2c": ["coast", "abbey", "bar", "x"] }', "'x' is among its names, but no class folder"],
    ["no list", '{ "c2i": {} }', 'expected { "i2c": [names of the classes] }'],
  ])("%s", async (_, names, message) => {
    await write(names);
    await expect(openPlaces("train")).rejects.toThrow(message);
  });
});

const { FIVECROP_DATA = "" } = process.env;
for (const [name, classCount, last] of [
  ["miniplaces", 100, "abbey"],
  ["flowers-102", 102, "common dandelion"],
] as const) {
  const real = existsSync(join(FIVECROP_DATA, name));
  if (!real) console.log(`skipped: real ${name} (set FIVECROP_DATA to a folder that has it)`);
  test.skipIf(!real)(`real ${name}: its classes, and pictures of every split that can be read`, async () => {
    for (const split of ["train", "validation", "test"]) {
      const dataset = await openDataset({ name, root: FIVECROP_DATA, split });
      expect(dataset.classNames.length).toBe(classCount);
      expect(dataset.classNames).toContain(last);
      if (split === "train") expect(new Set(dataset.labels).size).toBe(classCount);
      expect((await dataset.image(dataset.length - 1)).width).toBeGreaterThan(50);
    }
  });
}
