import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, test } from "vitest";
import { readMetadata } from "../../export/metadata.ts";
import { classes, under, writeTree } from "../pipeline/make-pictures.ts";
import { fivecrop, jsonLines, temporaryFolder } from "./run.ts";

let cwd: string;
let env: Record<string, string>;
beforeAll(async () => {
  cwd = await temporaryFolder();
  env = { XDG_CACHE_HOME: join(cwd, "cache"), LOCALAPPDATA: join(cwd, "cache"), HOME: cwd };
  await writeTree(join(cwd, "photos"), { ...classes(["cat", "dog", "fish"], 20), "dog/bad.jpg": "no picture", "dog/notes.txt": "x" });
});
const run = (...args: readonly string[]) => fivecrop(args, { cwd, env });

describe("datasets", () => {
  test("list says what there is, and what of it is here", async () => {
    const { stdout, code } = await run("datasets", "list");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^fashion-mnist-sample {3}there/m);
    expect(stdout).toMatch(/^cifar-10 +– +60,000 colour pictures/m);
    const rows = jsonLines((await run("datasets", "list", "--json")).stdout);
    expect(rows.map(({ name }) => name)).toEqual(["fashion-mnist", "fashion-mnist-sample", "cifar-10", "miniplaces", "flowers-102"]);
    expect(rows[1]).toMatchObject({ images: { train: 6000, test: 1000 } });
    expect(rows[2].missing).toContain("data_batch_1.bin is missing");
  });

  test("a folder without a test split is looked at by the split that it has", async () => {
    await writeTree(join(cwd, "halves"), { ...under("train", classes(["cat", "dog"], 3)), ...under("val", classes(["cat", "dog"], 2)) });
    const { code, stdout } = await run("datasets", "info", "folder:halves");
    expect(code).toBe(0);
    expect(stdout).toMatch(/here +6 train, 4 validation\n +classes +2: cat, dog/);
    const [shown] = jsonLines((await run("datasets", "show", "folder:halves", "--out", "halves.png", "--json")).stdout);
    expect(shown).toMatchObject({ split: "validation", images: 4 });
  });

  test("info says where it comes from, with size and hash", async () => {
    const { stdout } = await run("datasets", "info", "cifar-10");
    for (const part of [
      "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
      "170 MB",
      "c32a1d4ab5d03f1284b67883e8d87530",
      "fetch cifar-10",
    ])
      expect(stdout).toContain(part);
    expect((await run("datasets", "info", "miniplaces")).stdout).toContain("no official place: give it with --from");
    const folder = jsonLines((await run("datasets", "info", "folder:photos", "--json")).stdout)[0];
    expect(folder).toMatchObject({ name: `folder:${join(cwd, "photos")}`, images: { all: 61 } });
  });

  test("show writes a grid with names, the same on a machine without fonts", async () => {
    const { stdout, stderr } = await run("datasets", "show", "folder:photos", "--count", "1000", "--out", "grid.png");
    expect(stdout).toBe("grid.png: 60 of 61 images of all\n");
    expect(stderr).toMatch(/^fivecrop: left out: .*bad\.jpg: cannot be read as a picture/);
    const shown = await run("datasets", "show", "fashion-mnist-sample", "--count", "20", "--json");
    expect(jsonLines(shown.stdout)).toEqual([
      { name: "fashion-mnist-sample", split: "test", file: "fashion-mnist-sample-test.png", images: 20, of: 1000, unreadable: [] },
    ]);
    const grid = await readFile(join(cwd, "fashion-mnist-sample-test.png"));
    const { data, info } = await sharp(grid).greyscale().raw().toBuffer({ resolveWithObject: true });
    const [top, bottom] = [12 + 112, 12 + 112 + 20]; // where the first row's names are
    const ink = data.subarray(top * info.width, bottom * info.width).filter((value) => value < 128).length;
    expect(ink).toBeGreaterThan(300);
    await writeFile(join(cwd, "fonts.conf"), '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig></fontconfig>');
    const bare = await fivecrop(["datasets", "show", "fashion-mnist-sample", "--count", "20", "--out", "bare.png"], {
      cwd,
      env: { ...env, FONTCONFIG_FILE: join(cwd, "fonts.conf") },
    });
    expect(bare.code).toBe(0);
    expect(await readFile(join(cwd, "bare.png"))).toEqual(grid);
  });

  test("fetch brings a directory, and is done the second time", async () => {
    await writeTree(join(cwd, "mine"), {
      ...under("train", classes(["a", "b"], 1)),
      ...under("val", classes(["a"], 1)),
      ...under("test", classes(["b"], 1)),
      "category_names.json": '{ "i2c": ["a", "b"] }',
    });
    const fetch = () => run("datasets", "fetch", "miniplaces", "--from", "mine", "--data-dir", "data");
    expect((await fetch()).stdout).toBe(`${join(cwd, "data", "miniplaces")}: 2 train, 1 validation, 1 test\n`);
    expect((await fetch()).stdout).toContain("is there already");
  });

  test.each<[readonly string[], number, string]>([
    [["lst"], 2, "unknown command of datasets 'lst'. Did you mean 'list'?"],
    [["info", "cifar10"], 2, "Did you mean 'cifar-10'?"],
    [["info"], 2, "missing required argument 'name'"],
    [["info", "folder:nowhere"], 1, "nowhere: there is no such folder"],
    [["fetch", "miniplaces"], 2, "there is no official place"],
    [["show", "cifar-10"], 1, "is missing. To fix: fivecrop datasets fetch cifar-10"],
    [["show", "fashion-mnist-sample", "--out", "x.jpg"], 2, "--out: expected the name of a PNG"],
    [["show", "fashion-mnist-sample", "--split", "tst"], 2, "Did you mean 'test'?"],
  ])("datasets %j", async (args, code, message) => {
    const answer = await run("datasets", ...args);
    expect(answer.code).toBe(code);
    expect(answer.stderr).toContain(message);
    expect(answer.stderr).not.toContain("    at ");
  });
});

const TRAIN = ["train", "--model", "fashion-cnn", "--epochs", "1", "--batch-size", "10"];

describe("datasets cache", () => {
  test("lists what a training decoded, removes it when asked to, and it is decoded anew", async () => {
    const cached = (...args: readonly string[]) => fivecrop(["datasets", "cache", ...args], { cwd, env: mine });
    const mine = { ...env, XDG_CACHE_HOME: join(cwd, "cached"), LOCALAPPDATA: join(cwd, "cached") };
    expect((await cached()).stdout).toMatch(/^Nothing is kept in .*cached.*\.\n$/);
    expect((await cached("--json")).stdout).toBe("");
    await writeTree(join(cwd, "few"), classes(["cat", "dog"], 10));
    const train = (out: string) => fivecrop([...TRAIN, "--data", "folder:few", "--no-report", "--out", out], { cwd, env: mine });
    expect((await train("first")).code).toBe(0);
    const [entry, ...others] = jsonLines((await cached("--json")).stdout) as {
      kind: string;
      folder: string;
      bytes: number;
      files: number;
    }[];
    expect(others).toEqual([]);
    const files = await readdir(entry.folder);
    const sizes = await Promise.all(files.map(async (file) => (await readFile(join(entry.folder, file))).length));
    expect(entry).toMatchObject({ kind: "decoded", files: files.length, bytes: sizes.reduce((a, b) => a + b), removed: false });
    expect((await cached()).stdout).toMatch(
      /^decoded pictures +\d+ kB +\d files +\d{4}-\d\d-\d\d +\S+decoded\S+\n\d+ kB in all; to remove it, while nothing runs: fivecrop datasets cache --clear\n$/,
    );
    expect((await cached("--clear")).stdout).toMatch(/\d+ kB removed\.\n$/);
    await expect(readdir(entry.folder)).rejects.toThrow("ENOENT");
    expect((await cached()).stdout).toContain("Nothing is kept");
    expect((await train("second")).code).toBe(0);
    expect(await readdir(entry.folder)).toEqual(files);
  });
});

describe("a folder of pictures, from train to evaluate", () => {
  test("the bad picture is named and left out; the run can be gone on with and exported from anywhere; the model tells no paths", async () => {
    const { code, stdout, stderr } = await run(...TRAIN, "--data", "folder:photos");
    expect({ code, stderr: stderr.split("\n").filter((line) => !/^(decoding|epoch) /.test(line)) }).toEqual({
      code: 0,
      stderr: [
        `all: 1 file that is no picture of a class is left out, such as ${join(cwd, "photos/dog/notes.txt")}`,
        "all: 1 of 61 pictures cannot be read and are left out:",
        expect.stringContaining(`  ${join(cwd, "photos/dog/bad.jpg")}: cannot be read as a picture`),
        "",
      ],
    });
    expect(stdout).toContain("3 classes; 48 images to train on, 12 to validate on");
    const out = join(cwd, "runs", "fashion-cnn-photos");
    const { config } = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
    expect(config.data).toBe(`folder:${join(cwd, "photos")}`);
    const model = await readFile(join(out, "model.onnx"));
    expect(readMetadata(model)?.labels).toEqual(["cat", "dog", "fish"]);
    expect(readMetadata(model)?.training?.dataset).toBe("folder:photos");
    expect(model.includes(cwd)).toBe(false);

    const elsewhere = join(cwd, "elsewhere");
    await mkdir(elsewhere);
    const again = await fivecrop(["export", out, "--out", "copy.onnx"], { cwd: elsewhere, env });
    expect(again).toMatchObject({ code: 0, stderr: "" });

    const evaluated = await run("evaluate", join(out, "model.onnx"), "--data", "folder:photos", "--json");
    expect(jsonLines(evaluated.stdout)[0]).toMatchObject({ split: "all", images: 60, unreadable: 1 });
    expect(evaluated.stderr).toContain("left out: ");
    expect(evaluated.stderr).toContain("the model was trained on these images");
    expect(await run("evaluate", join(out, "model.onnx"))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("was trained on a folder, photos"),
    });
    expect(await run("evaluate", join(out, "model.onnx"), "--data", "folder:photos", "--strict")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("bad.jpg: cannot be read as a picture"),
    });
  });

  test("--strict makes it fatal, before anything is written", async () => {
    const { code, stderr } = await run(...TRAIN, "--data", "folder:photos", "--strict", "--out", "strict");
    expect(code).toBe(1);
    expect(stderr).toContain("1 picture of all cannot be read, and --strict was said: ");
    await expect(readFile(join(cwd, "strict", "run.json"))).rejects.toThrow("ENOENT");
  });

  test("what is kept decoded: pictures as the preprocessing resizes them, or whole ones where training enlarges parts of them", async () => {
    await writeTree(join(cwd, "large"), {
      "a/1.jpg": { width: 90, height: 60 },
      "a/2.jpg": { width: 60, height: 60 },
      "a/3.jpg": { width: 60, height: 60 },
      "b/1.jpg": { width: 64, height: 128 },
      "b/2.jpg": { width: 128, height: 64 },
      "b/3.jpg": { width: 64, height: 64 },
    });
    const kept = async (...args: readonly string[]) => {
      const cache = await temporaryFolder();
      const words = [
        "train",
        "--model",
        "fashion-cnn",
        "--data",
        "folder:large",
        "--epochs",
        "1",
        "--batch-size",
        "2",
        "--validation",
        "0.25",
      ];
      const { code } = await fivecrop([...words, "--out", join(cache, "run"), ...args], {
        cwd,
        env: { ...env, XDG_CACHE_HOME: cache, LOCALAPPDATA: cache },
      });
      expect(code).toBe(0);
      const files = (await readdir(cache, { recursive: true })).filter((name) => name.endsWith("index.json"));
      expect(files.length).toBe(1);
      return JSON.parse(await readFile(join(cache, files[0]), "utf8")).sizes;
    };
    expect(await kept("--augment", "flip")).toEqual([48, 32, 32, 32, 32, 32, 32, 64, 64, 32, 32, 32]);
    expect(await kept("--augment", "random-resized-crop")).toEqual([90, 60, 60, 60, 60, 60, 64, 128, 128, 64, 64, 64]);
  });

  test("its own validation pictures are used, and a share is refused", async () => {
    await writeTree(join(cwd, "split"), { ...under("train", classes(["a", "b"], 10)), ...under("val", classes(["b", "a"], 3)) });
    const trained = await run(...TRAIN, "--data", "folder:split", "--out", "split-run", "--json");
    expect(jsonLines(trained.stdout).find(({ kind }) => kind === "prepared")).toMatchObject({ training: 20, validation: 6, classes: 2 });
    const refused = await run(...TRAIN, "--data", "folder:split", "--validation", "0.1", "--out", "none");
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("brings a validation split of its own") });
  });
});
