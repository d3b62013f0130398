import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { classes, type PictureOptions, under, writeTree } from "../pipeline/make-pictures.ts";
import { fivecrop, temporaryFolder } from "./run.ts";

type Files = Record<string, PictureOptions | string>;
const good = classes(["cat", "dog"], 6);

async function train(files: Files, ...args: readonly string[]) {
  const cwd = await temporaryFolder();
  await writeTree(join(cwd, "photos"), files);
  const words = ["train", "--model", "fashion-cnn", "--data", "folder:photos", "--epochs", "1", "--batch-size", "4", "--threads", "1"];
  const env = { XDG_CACHE_HOME: join(cwd, "cache"), LOCALAPPDATA: join(cwd, "cache") };
  const finished = await fivecrop([...words, "--no-report", "--out", "run", ...args], { cwd, env });
  await rm(join(cwd, "cache"), { recursive: true, force: true });
  return { ...finished, cwd, left: (await readdir(cwd)).sort() };
}

describe.concurrent("a folder that cannot be trained on: one message, and nothing is left", () => {
  test.each<[string, Files, string, number, ...string[]]>([
    ["nothing", { ".keep": "" }, "holds neither folders nor pictures", 1],
    ["no class folders", { "1.jpg": {}, "2.jpg": {} }, "holds 2 pictures, such as 1.jpg, but no class folders", 1],
    ["one class", { "cat/1.jpg": {} }, "holds one class only, 'cat'", 1],
    ["an empty class", { ...good, "eel/.keep": "" }, "eel: the class folder has no pictures. Expected JPEG", 1],
    ["a class of HEIC files", { ...good, "eel/IMG_1.HEIC": "x" }, "no pictures, but 1 other file, such as IMG_1.HEIC. Expected JPEG", 1],
    [
      "unreadable pictures, with --strict",
      { ...good, "cat/bad.jpg": "no picture" },
      "1 picture of all cannot be read, and --strict was said",
      1,
      "--strict",
    ],
    [
      "a class of unreadable pictures",
      { ...good, "eel/1.jpg": "no", "eel/2.jpg": "" },
      "none of the 2 pictures of class 'eel' can be read",
      1,
    ],
    ["no class that can be divided", classes(["cat", "dog"], 2), "--validation: expected a class of at least 3 images to draw from", 2],
    ["a validation share that leaves a class nothing", good, "or a whole number of them from 2 to 10", 2, "--validation", "11"],
  ])("%s", async (_, files, says, code, ...args) => {
    const finished = await train(files, ...args);
    const [last, ...others] = finished.stderr.trimEnd().split("\n").reverse();
    expect(last).toMatch(/^fivecrop: /);
    expect(last).toContain(says);
    expect(others.filter((line) => line.startsWith("fivecrop:"))).toEqual([]);
    expect({ code: finished.code, left: finished.left, stdout: finished.stdout }).toEqual({ code, left: ["photos"], stdout: "" });
  });
});

test("nested folders, files of other kinds, pictures of no class, unreadable ones, small classes and copies: each is said, and it trains", async () => {
  const { code, stderr, cwd, stdout } = await train({
    ...good,
    "cat/more/a.jpg": { seed: 50 },
    "dog/bad.png": "no picture",
    "dog/notes.txt": "x",
    "loose.jpg": {},
    "eel/1.jpg": { seed: 70 },
  });
  const photos = join(cwd, "photos");
  for (const said of [
    `all: 1 picture beside the class folders is of no class and left out, such as ${join(photos, "loose.jpg")}`,
    `all: 1 file that is no picture of a class is left out, such as ${join(photos, "dog", "notes.txt")}`,
    `all: 1 folder in class folders: their pictures count to the class, such as those of ${join(photos, "cat", "more")} to 'cat'`,
    "all: 1 of 15 pictures cannot be read and are left out:",
    `  ${join(photos, "dog", "bad.png")}: cannot be read as a picture`,
    "all: 1 class with fewer than 3 pictures, trained on but not validated on, so that no accuracy is known of it: eel (1)",
  ])
    expect(stderr).toContain(said);
  expect(stdout).toContain("3 classes; 11 images to train on, 3 to validate on");
  expect(code).toBe(0);
});

test("with folders of its own for validation, a class of fewer than three pictures to train on is named too", async () => {
  const { code, stderr } = await train({
    ...under("train", { ...good, "eel/1.jpg": { seed: 70 } }),
    ...under("val", classes(["cat", "dog"], 2)),
  });
  expect(code, stderr).toBe(0);
  expect(stderr).toContain("train: 1 class with fewer than 3 pictures to train on: eel (1, and 0 to validate on)\n");
});
