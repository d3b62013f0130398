import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FivecropError } from "../../core/errors.ts";
import { openDataset } from "../../pipeline/datasets/index.ts";
import { classes, under, writeTree } from "./make-pictures.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fivecrop-malformed-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A data set of three class folders in the layout that it is published in. */
interface Layout {
  readonly folders: readonly [string, string, string];
  readonly validation: string;
  /** The file of its classes' names, where it has one. */
  readonly names?: { readonly file: string; readonly whole: string };
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  miniplaces: {
    folders: ["abbey", "bar", "coast"],
    validation: "val",
    names: { file: "category_names.json", whole: '{ "i2c": ["coast", "abbey", "bar"] }' },
  },
  "flowers-102": {
    folders: ["1", "10", "2"],
    validation: "valid",
    names: { file: "cat_to_name.json", whole: '{ "1": "pink primrose", "2": "orchid", "10": "thistle", "11": "not in this part" }' },
  },
  folder: { folders: ["ant", "bee", "cat"], validation: "val" },
};

describe.each(Object.entries(LAYOUTS))("%s", (set, { folders, validation, names }) => {
  const at = (...parts: readonly string[]) => join(root, set, ...parts);
  const open = (split = "train") => openDataset({ name: set === "folder" ? `folder:${at()}` : set, root, split });
  const refusal = async (split = "train"): Promise<string> => {
    const error = await open(split).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FivecropError);
    return (error as Error).message;
  };
  beforeEach(() =>
    writeTree(at(), {
      ...under("train", classes(folders, 2)),
      ...under(validation, classes(folders, 1)),
      ...under("test", classes(folders, 1)),
      ...(names && { [names.file]: names.whole }),
    }),
  );
  const [first, second, third] = folders;

  test("as it is published: all splits, all classes", async () => {
    for (const [split, images] of Object.entries({ train: 6, validation: 3, test: 3 })) {
      const dataset = await open(split);
      expect([dataset.length, dataset.classNames.length, [...new Set(dataset.labels)].sort()]).toEqual([images, 3, [0, 1, 2]]);
      expect(dataset.notes).toEqual([]);
    }
  });

  test("no such folder", async () => {
    await rm(at(), { recursive: true });
    expect(await refusal()).toContain(`${at()}: there is no such folder`);
  });

  test("a file in its place", async () => {
    await rm(at(), { recursive: true });
    await writeFile(at(), "x");
    expect(await refusal()).toContain(`${at()}: this is a file`);
  });

  test("no test folder: the splits that there are are named", async () => {
    await rm(at("test"), { recursive: true });
    await expect(open("test")).rejects.toThrow("There are: train, validation.");
  });

  test("a split folder without class folders", async () => {
    await rm(at("train"), { recursive: true });
    await writeTree(at("train"), { "a.txt": "x" });
    expect(await refusal()).toContain(`${at("train")}: holds neither folders nor pictures`);
  });

  test("pictures that are in no class folder", async () => {
    await rm(at("train"), { recursive: true });
    await writeTree(at("train"), { "1.jpg": {}, "2.jpg": {} });
    expect(await refusal()).toContain(`${at("train")}: holds 2 pictures, such as 1.jpg, but no class folders`);
  });

  test("an empty class folder to train on; of what is not trained on one may be empty, all may not", async () => {
    for (const name of ["000.jpg", "001.jpg"]) await rm(at("train", second, name));
    expect(await refusal()).toContain(`${at("train", second)}: the class folder has no pictures. Expected JPEG`);
    await writeTree(at("train"), classes([second], 1));
    await rm(at("test", second, "000.jpg"));
    expect((await open("test")).length).toBe(2);
    for (const folder of [first, third]) await rm(at("test", folder, "000.jpg"));
    expect(await refusal("test")).toContain(`${at("test")}: expected pictures in its class folders, found none`);
  });

  test("a class folder in the test pictures that was not trained on", async () => {
    await writeTree(at("test"), classes(["zebra"], 1));
    expect(await refusal("test")).toContain(`${at("test", "zebra")}: is no class of`);
  });

  test.each<[string, (file: string) => Promise<void>]>([
    ["cut short", async (file) => truncate(file, Math.floor((await readFile(file)).length / 3))],
    ["empty", (file) => writeFile(file, "")],
    ["text", (file) => writeFile(file, "no picture")],
  ])("a picture that cannot be read (%s) is named when it is read, and the others can be", async (_, spoil) => {
    await spoil(at("train", third, "001.jpg"));
    const dataset = await open();
    const bad = Array.from({ length: dataset.length }, (_, i) => i).filter((i) => dataset.file!(i) === at("train", third, "001.jpg"));
    expect(bad.length).toBe(1);
    const read = async (i: number) => dataset.image(i);
    for (let i = 0; i < dataset.length; i++)
      if (i === bad[0]) await expect(read(i)).rejects.toThrow(`${at("train", third, "001.jpg")}: `);
      else expect((await read(i)).channels).toBe(3);
  });

  if (!names) return;
  const { file } = names;
  const named = (name: unknown): string =>
    JSON.stringify(set === "miniplaces" ? { i2c: [first, second, name] } : { [first]: "a", [second]: "b", [third]: name });

  test("the file of its names is missing", async () => {
    await rm(at(file));
    expect(await refusal()).toMatch(/cannot be read: there is no such file or folder\. Expected the names of the classes\. To fix: /);
    expect(await refusal()).toContain(at(file));
  });

  test.each<[string, string, string | RegExp]>([
    ["empty", "", "expected JSON, found text that is none"],
    ["cut short", names.whole.slice(0, 20), "expected JSON, found text that is none"],
    ["null", "null", /expected \{ "i2c"|expected the name of class folder/],
    ["a list", "[1]", /expected \{ "i2c"|expected the name of class folder/],
    ["a name that is a number", named(7), /expected \{ "i2c"|expected the name of class folder '.+', found 7/],
    ["an empty name", named(""), /Expected one name for each folder|expected the name of class folder '.+', found ""/],
    ["a name twice", named(set === "miniplaces" ? first : "a"), "expected a name of its own for each class, found"],
    ["a name by another folder", JSON.stringify({ i2c: ["x", "y", "z"], x: "a", y: "b", z: "c" }), `'${first}'`],
    ["a folder without a name", JSON.stringify({ i2c: [first, second], [first]: "a", [second]: "b" }), `'${third}'`],
  ])("the file of its names: %s", async (_, text, says) => {
    await writeFile(at(file), text);
    const message = await refusal();
    expect(message).toContain(at(file));
    expect(message).toMatch(says);
  });
});
