import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../core/errors.ts";
import { fetchDataset } from "../../pipeline/datasets/fetch.ts";
import type { DatasetSource } from "../../pipeline/datasets/source.ts";
import { SOURCES } from "../../pipeline/datasets/source.ts";
import { BYTES, md5, quick, useSite } from "../core/file-server.ts";
import { FLOWERS, flowersArchive, IMAGES, NAMES } from "./flowers-archive.ts";
import { classes, writeTree } from "./make-pictures.ts";

const site = useSite();
const { fileAt, serve } = site;

describe("datasets fetch", () => {
  const data = () => join(site.root, "data");
  const fetchFlowers = (from?: string, source?: DatasetSource) =>
    fetchDataset("flowers-102", { root: data(), from, source, connection: quick });

  test("downloads, checks, unpacks, and is done the second time", async () => {
    const archive = await readFile(await flowersArchive(site.root, "flower_data.tar.gz", ".", false));
    site.answer = (request, response, count) => {
      if (request.url === "/cat_to_name.json") response.end(NAMES);
      else serve(archive, { most: 3000 })(request, response, count);
    };
    const source: DatasetSource = {
      ...SOURCES["flowers-102"],
      files: [
        { url: `${site.base}/flower_data.tar.gz`, bytes: archive.length, md5: md5(archive) },
        { url: `${site.base}/cat_to_name.json` },
      ],
    };
    const titles = new Set<string>();
    const fetched = await fetchDataset("flowers-102", {
      root: data(),
      source,
      connection: quick,
      onProgress: (title) => titles.add(title),
    });
    expect(fetched).toEqual({ folder: join(data(), "flowers-102"), alreadyThere: false, images: IMAGES });
    expect([...titles]).toEqual(["flower_data.tar.gz", "cat_to_name.json", "unpacking flower_data.tar.gz"]);
    expect(await readdir(data())).toEqual(["flowers-102"]);
    const asked = site.requests.length;
    expect(await fetchFlowers(undefined, source)).toMatchObject({ alreadyThere: true, images: IMAGES });
    expect(site.requests.length).toBe(asked);
  });

  test("a wrong hash: nothing is left there", async () => {
    site.answer = serve(BYTES);
    const source = { ...SOURCES["flowers-102"], files: [{ ...fileAt("flower_data.tar.gz"), md5: "f".repeat(32) }] };
    await expect(fetchFlowers(undefined, source)).rejects.toThrow("expected the published md5 hash");
    expect(existsSync(join(data(), "flowers-102"))).toBe(false);
  });

  test.each([
    ["a .zip", "mine.zip", "flowers"],
    ["a .tar.gz", "mine.tar.gz", "some/folder"],
    ["a .tar", "mine.tar", "."],
  ])("--from %s, wherever in it the data set lies", async (_, name, top) => {
    expect(await fetchFlowers(await flowersArchive(site.root, name, top))).toMatchObject({ alreadyThere: false, images: IMAGES });
    expect(await readdir(data())).toEqual(["flowers-102"]);
  });

  test("--from a directory, and from an address", async () => {
    const folder = join(site.root, "mine", "flowers");
    await writeTree(folder, FLOWERS);
    await writeFile(join(site.root, "mine", "cat_to_name.json"), NAMES);
    expect(await fetchFlowers(join(site.root, "mine"))).toMatchObject({ images: IMAGES });
    await rm(data(), { recursive: true });
    const archive = await readFile(await flowersArchive(site.root, "x.zip", "flowers"));
    site.answer = serve(archive);
    expect(await fetchFlowers(`${site.base}/somewhere/else.zip?download=1`)).toMatchObject({ images: IMAGES });
  });

  test("--from a directory takes what the data set consists of, and nothing that lies beside it", async () => {
    const folder = join(site.root, "downloads");
    await writeTree(folder, { ...FLOWERS, "cat_to_name.json": NAMES, "tax/return.pdf": "secret", "train.zip": "x", "film.mkv": "x" });
    await writeTree(join(site.root, "elsewhere"), classes(["2"], 1));
    await rm(join(folder, "test"), { recursive: true });
    await symlink(join(site.root, "elsewhere"), join(folder, "test"));
    expect(await fetchFlowers(folder)).toMatchObject({ images: IMAGES });
    await rm(join(site.root, "elsewhere"), { recursive: true });
    expect(await fetchFlowers()).toMatchObject({ alreadyThere: true, images: IMAGES });
    expect((await readdir(join(data(), "flowers-102"))).sort()).toEqual(["cat_to_name.json", "test", "train", "valid"]);
    await cp(join(import.meta.dirname, "../../pipeline/datasets/sample"), folder, { recursive: true });
    await fetchDataset("fashion-mnist", { root: data(), from: folder });
    expect((await readdir(join(data(), "fashion-mnist"))).sort()).toEqual([
      "t10k-images-idx3-ubyte.gz",
      "t10k-labels-idx1-ubyte.gz",
      "train-images-idx3-ubyte.gz",
      "train-labels-idx1-ubyte.gz",
    ]);
  });

  test("plain files are taken as they are, and a published name is checked", async () => {
    const folder = join(site.root, "mine");
    await cp(join(import.meta.dirname, "../../pipeline/datasets/sample"), folder, { recursive: true });
    expect(await fetchDataset("fashion-mnist", { root: data(), from: folder })).toMatchObject({ images: { train: 6000, test: 1000 } });
    await rm(data(), { recursive: true });
    await expect(fetchDataset("fashion-mnist", { root: data(), from: join(folder, "train-images-idx3-ubyte.gz") })).rejects.toThrow(
      "expected 26,421,880 bytes as published",
    );
    await writeFile(join(site.root, "cifar-10-binary.tar.gz"), "x");
    await expect(fetchDataset("cifar-10", { root: data(), from: join(site.root, "cifar-10-binary.tar.gz") })).rejects.toThrow(
      "expected 170,052,171 bytes",
    );
  });

  test("what is another data set, or not whole, does not come there", async () => {
    await writeTree(join(site.root, "other"), { "x/a.txt": "x" });
    await expect(fetchFlowers(join(site.root, "other"))).rejects.toThrow("expected 'train' in it, at most 3 folders deep, found none");
    await writeTree(join(site.root, "half"), FLOWERS);
    const error = await fetchFlowers(join(site.root, "half")).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toContain("what came is not flowers-102");
    expect((error as Error).message).toContain(join(data(), "flowers-102", "cat_to_name.json"));
    expect(await readdir(data())).toEqual([]);
    await writeFile(join(site.root, "text.zip"), "no archive");
    await expect(fetchFlowers(join(site.root, "text.zip"))).rejects.toThrow("expected 'train' in it");
  });

  test("what is there and not whole stays, and is named", async () => {
    await mkdir(join(data(), "flowers-102", "train"), { recursive: true });
    await expect(fetchFlowers(site.root)).rejects.toThrow(`To fix: take ${join(data(), "flowers-102")} away, and fetch again`);
    expect(existsSync(join(data(), "flowers-102", "train"))).toBe(true);
  });

  test("misuse", async () => {
    for (const [name, from, message] of [
      ["fashion-mnist-sample", undefined, "part of the package"],
      ["miniplaces", undefined, "there is no official place to fetch it from"],
      ["flowers-102", join(site.root, "nothing"), "--from: there is no file or directory"],
      ["flower-102", undefined, "Did you mean 'flowers-102'?"],
    ] as const) {
      const error = await fetchDataset(name, { root: data(), from }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UsageError);
      expect((error as Error).message).toContain(message);
    }
  });

  test("one process at a time; a lock whose process has died is taken over", async () => {
    await mkdir(data());
    const lock = join(data(), ".flowers-102.lock");
    await writeFile(lock, `${process.ppid}\n`);
    const archive = await flowersArchive(site.root, "mine.zip", "flowers");
    await expect(fetchFlowers(archive)).rejects.toThrow(`is in use by process ${process.ppid}`);
    await writeFile(lock, `${2 ** 22 + 1}\n`);
    expect(await fetchFlowers(archive)).toMatchObject({ images: IMAGES });
  });
});

describe("two at a time", () => {
  test("what another process brought between the first look and the lock is found", async () => {
    const data = join(site.root, "data");
    await writeTree(join(site.root, "mine"), { ...FLOWERS, "cat_to_name.json": NAMES });
    await mkdir(data);
    await writeFile(join(data, ".flowers-102.lock"), ""); // as one that is just made: it is looked at for 0.2 s before it is taken over
    site.answer = (_, response) => response.writeHead(404).end();
    const source = { ...SOURCES["flowers-102"], files: [{ url: `${site.base}/flower_data.tar.gz` }] };
    const second = fetchDataset("flowers-102", { root: data, source, connection: quick });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await rename(join(site.root, "mine"), join(data, "flowers-102"));
    expect(await second).toEqual({ folder: join(data, "flowers-102"), alreadyThere: true, images: IMAGES });
    expect([site.requests, await readdir(data)]).toEqual([[], ["flowers-102"]]);
  });
});
