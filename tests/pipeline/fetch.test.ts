import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "tar";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { download } from "../../core/download.node.ts";
import { FivecropError, UsageError } from "../../core/errors.ts";
import { fetchDataset } from "../../pipeline/datasets/fetch.ts";
import type { DatasetSource } from "../../pipeline/datasets/source.ts";
import { SOURCES } from "../../pipeline/datasets/source.ts";
import { type UnpackLimits, unpack } from "../../pipeline/datasets/unpack.ts";
import { classes, under, writeTree } from "./make-pictures.ts";
import { zipOf } from "./make-zip.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

let root: string;
let server: Server;
let answer: Answer;
let requests: string[];
let base: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "fivecrop-fetch-"));
  requests = [];
  server = createServer((request, response) => {
    requests.push(request.headers.range ?? "all");
    answer(request, response, requests.length);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(root, { recursive: true, force: true });
});

const BYTES = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251));
const md5 = (bytes: Uint8Array) => createHash("md5").update(bytes).digest("hex");
const quick = { tries: 4, pause: 1, patience: 2000 };
const fileAt = (path = "data.bin") => ({ url: `${base}/${path}`, bytes: BYTES.length, md5: md5(BYTES) });

/** Sends these bytes and cuts the connection when they have arrived, as those from `from` on: on a busy machine a cut at once may take them along. */
function sendAndCut(response: ServerResponse, bytes: Buffer, from = 0): void {
  const arrived = async (): Promise<boolean> => {
    const names = await readdir(root, { recursive: true }).catch(() => []); // the test is over
    const parts = names.filter((name) => name.endsWith(".part"));
    const sizes = await Promise.all(parts.map(async (name) => (await stat(join(root, name)).catch(() => undefined))?.size ?? 0));
    return sizes.some((size) => size >= from + bytes.length);
  };
  const cut = async (): Promise<void> => {
    while (!response.destroyed && !(await arrived())) await new Promise((wait) => setTimeout(wait, 5));
    response.destroy();
  };
  response.write(bytes, () => void cut());
}

/** Serves these bytes with ranges; at most `most` of them before the connection is cut. */
const serve =
  (bytes: Buffer, { most = Infinity, etag = '"1"' } = {}): Answer =>
  (request, response) => {
    const from = request.headers["if-range"] === etag ? Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0) : 0;
    const headers = { etag, "content-length": bytes.length - from };
    response.writeHead(
      from ? 206 : 200,
      from ? { ...headers, "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : headers,
    );
    const part = bytes.subarray(from, from + most);
    if (part.length === bytes.length - from) response.end(part);
    else sendAndCut(response, part, from);
  };

describe("a download", () => {
  const target = () => join(root, "data.bin");

  test("arrives whole, with progress", async () => {
    answer = serve(BYTES);
    const seen: number[] = [];
    await download(fileAt(), target(), { ...quick, onProgress: (done, total) => seen.push(done, total!) });
    expect(await readFile(target())).toEqual(BYTES);
    expect(seen.slice(-2)).toEqual([BYTES.length, BYTES.length]);
    expect(await readdir(root)).toEqual(["data.bin"]);
  });

  test("goes on where the connection was cut, however often, as long as something comes", async () => {
    answer = serve(BYTES, { most: 40_000 });
    await download(fileAt(), target(), quick);
    expect(await readFile(target())).toEqual(BYTES);
    expect(requests.length).toBeGreaterThanOrEqual(8);
    expect(requests[0]).toBe("all");
    expect(requests.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range))).toBe(true);
  });

  test("gives up where nothing comes any more, keeps what there is, and goes on in the next call", async () => {
    answer = (request, response, count) => (count === 1 ? serve(BYTES, { most: 100_000 })(request, response, count) : response.destroy());
    const error = await download(fileAt(), target(), quick).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FivecropError);
    expect((error as Error).message).toMatch(/4 times\. [\d,]+ bytes are kept: the same command goes on from there/);
    const kept = (await readFile(`${target()}.part`)).length;
    expect(kept).toBeGreaterThan(0);
    answer = serve(BYTES);
    await download(fileAt(), target(), quick);
    expect(requests.at(-1)).toBe(`bytes=${kept}-`);
    expect(await readFile(target())).toEqual(BYTES);
  });

  test("starts anew where the file on the server has changed, or the server knows no ranges", async () => {
    answer = serve(Buffer.alloc(BYTES.length, 1), { most: 50_000, etag: '"old"' });
    await expect(download(fileAt(), target(), { ...quick, tries: 1 })).rejects.toThrow("cut");
    answer = serve(BYTES, { etag: '"new"' });
    await download(fileAt(), target(), quick);
    expect(await readFile(target())).toEqual(BYTES);
    await rm(target());
    answer = (_, response, count) => {
      response.writeHead(200, { "content-length": BYTES.length, etag: '"x"' });
      if (count % 2) sendAndCut(response, BYTES.subarray(0, 9000));
      else response.end(BYTES);
    };
    requests.length = 0;
    await download(fileAt(), target(), quick);
    expect(await readFile(target())).toEqual(BYTES);
  });

  /** What of a download is there: `have` bytes of a version. */
  const begin = async (have: Buffer, version = '"1"'): Promise<void> => {
    await writeFile(`${target()}.part`, have);
    await writeFile(`${target()}.part.version`, version);
  };
  const OLD = Buffer.alloc(100_000, 1);
  const unhashed = () => ({ url: `${base}/data.bin` });

  test("a server that names no version: nothing is gone on with, so that two versions cannot be mixed", async () => {
    answer = (_, response, count) => {
      response.writeHead(200, { "content-length": BYTES.length });
      if (count === 1) sendAndCut(response, OLD);
      else response.end(BYTES);
    };
    const error = await download(unhashed(), target(), { ...quick, tries: 1 }).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toMatch(/To fix: try again later: the same command begins anew\.$/);
    expect((await readFile(`${target()}.part`)).length).toBeGreaterThan(0);
    await download(unhashed(), target(), quick);
    expect(requests).toEqual(["all", "all"]);
    expect(await readFile(target())).toEqual(BYTES);
  });

  test("a server that heeds no if-range and sends the rest of another version: begun anew", async () => {
    await begin(OLD);
    answer = (request, response) => {
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const range = from ? { "content-range": `bytes ${from}-${BYTES.length - 1}/${BYTES.length}` } : {};
      response.writeHead(from ? 206 : 200, { etag: '"2"', ...range }).end(BYTES.subarray(from));
    };
    await download(unhashed(), target(), quick);
    expect(requests).toEqual([`bytes=${OLD.length}-`, "all"]);
    expect(await readFile(target())).toEqual(BYTES);
  });

  test("a server that tells versions apart by time only: gone on with", async () => {
    const time = "Mon, 06 May 2024 07:08:09 GMT";
    answer = (request, response, count) => {
      const from = count === 1 ? 0 : Number(/bytes=(\d+)-/.exec(request.headers.range!)![1]);
      if (from) expect(request.headers["if-range"]).toBe(time);
      const range = from ? { "content-range": `bytes ${from}-${BYTES.length - 1}/${BYTES.length}` } : {};
      const headers = { etag: 'W/"weak"', "last-modified": time, "content-length": BYTES.length - from, ...range };
      response.writeHead(from ? 206 : 200, headers);
      if (count > 1) response.end(BYTES.subarray(from));
      else sendAndCut(response, BYTES.subarray(0, 9000));
    };
    await download(fileAt(), target(), quick);
    expect(requests).toEqual(["all", "bytes=9000-"]);
    expect(await readFile(target())).toEqual(BYTES);
  });

  test.each<[string, () => Buffer, number]>([
    ["whole: taken as it is", () => BYTES, 1],
    ["too long: begun anew", () => Buffer.concat([BYTES, OLD]), 2],
  ])("416, for what is there is %s", async (_, have, asked) => {
    await begin(have());
    answer = (request, response, count) =>
      request.headers.range
        ? response.writeHead(416, { "content-range": `bytes */${BYTES.length}` }).end()
        : serve(BYTES)(request, response, count);
    await download(unhashed(), target(), quick);
    expect(requests.length).toBe(asked);
    expect(await readFile(target())).toEqual(BYTES);
    expect(await readdir(root)).toEqual(["data.bin"]);
  });

  test.each([
    ["from another byte on", { "content-range": `bytes 5-${BYTES.length - 1}/${BYTES.length}` }],
    ["without saying which", {}],
  ])("206 %s: begun anew", async (_, range) => {
    await begin(BYTES.subarray(0, 1000));
    answer = (request, response, count) =>
      request.headers.range
        ? response.writeHead(206, { etag: '"1"', ...range }).end(BYTES.subarray(5))
        : serve(BYTES)(request, response, count);
    await download(fileAt(), target(), quick);
    expect(requests).toEqual(["bytes=1000-", "all"]);
    expect(await readFile(target())).toEqual(BYTES);
  });

  test("a server that names another version in every answer, and always cuts: an end is made", async () => {
    answer = (_, response, count) => {
      const range = { "content-range": `bytes 1000-${BYTES.length - 1}/${BYTES.length}` };
      response.writeHead(count % 2 ? 200 : 206, {
        etag: `"${count}"`,
        "content-length": BYTES.length - (count % 2 ? 0 : 1000),
        ...(count % 2 ? {} : range),
      });
      sendAndCut(response, BYTES.subarray(0, 1000));
    };
    await expect(download(unhashed(), target(), quick)).rejects.toThrow(", 4 times.");
  });

  test("a server that falls silent counts as cut", async () => {
    answer = (request, response, count) => {
      if (count > 1) return serve(BYTES)(request, response, count);
      response.writeHead(200, { "content-length": BYTES.length, etag: '"1"' });
      response.write(BYTES.subarray(0, 1000));
    };
    await download(fileAt(), target(), { ...quick, patience: 300 });
    expect(await readFile(target())).toEqual(BYTES);
    expect(requests[1]).toBe("bytes=1000-");
  });

  test("503 is tried again, 404 is not", async () => {
    answer = (request, response, count) => (count < 3 ? response.writeHead(503).end() : serve(BYTES)(request, response, count));
    await download(fileAt(), target(), quick);
    expect(requests.length).toBe(3);
    answer = (_, response) => response.writeHead(404).end("not here");
    requests.length = 0;
    const error = await download(fileAt("gone.bin"), join(root, "gone.bin"), quick).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toBe(
      `${base}/gone.bin: the server answers 404 Not Found. To fix: fetch the file by other means, and give it with --from FILE.`,
    );
    expect([requests.length, existsSync(join(root, "gone.bin.part"))]).toEqual([1, false]);
  });

  test("nobody listens", async () => {
    await expect(download({ url: "http://127.0.0.1:9/x" }, target(), quick)).rejects.toThrow("no connection");
  });

  test.each([
    [
      "another hash",
      (file: ReturnType<typeof fileAt>) => ({ ...file, md5: "0".repeat(32) }),
      `published md5 hash ${"0".repeat(32)}, received a file of ${md5(BYTES)}`,
    ],
    ["another sha256", (file: ReturnType<typeof fileAt>) => ({ ...file, sha256: "0".repeat(64) }), "published sha256 hash"],
    [
      "another size",
      (file: ReturnType<typeof fileAt>) => ({ ...file, bytes: 300_001 }),
      "expected 300,001 bytes as published, received 300,000",
    ],
  ])("%s: refused, and nothing is kept", async (_, change, message) => {
    answer = serve(BYTES);
    await expect(download(change(fileAt()), target(), quick)).rejects.toThrow(message);
    expect(await readdir(root)).toEqual([]);
  });
});

/** The files of a small 102 flowers. */
const FLOWERS = {
  ...under("train", classes(["1", "2"], 2)),
  ...under("valid", classes(["1", "2"], 1)),
  ...under("test", classes(["2"], 1)),
};
const NAMES = '{ "1": "pink primrose", "2": "orchid" }';
const IMAGES = { train: 4, validation: 2, test: 1 };

async function flowersArchive(name: string, top: string, names = true): Promise<string> {
  const folder = join(root, "make");
  await writeTree(folder, under(top, FLOWERS));
  if (names) await writeFile(join(folder, "cat_to_name.json"), NAMES);
  const file = join(root, name);
  const entries = await readdir(folder);
  if (name.endsWith(".zip")) await writeFile(file, await zipOf(folder));
  else await create({ gzip: name.endsWith("gz"), file, cwd: folder }, entries);
  await rm(folder, { recursive: true });
  return file;
}

describe("datasets fetch", () => {
  const data = () => join(root, "data");
  const fetchFlowers = (from?: string, source?: DatasetSource) =>
    fetchDataset("flowers-102", { root: data(), from, source, connection: quick });

  test("downloads, checks, unpacks, and is done the second time", async () => {
    const archive = await readFile(await flowersArchive("flower_data.tar.gz", ".", false));
    answer = (request, response, count) => {
      if (request.url === "/cat_to_name.json") response.end(NAMES);
      else serve(archive, { most: 3000 })(request, response, count);
    };
    const source: DatasetSource = {
      ...SOURCES["flowers-102"],
      files: [{ url: `${base}/flower_data.tar.gz`, bytes: archive.length, md5: md5(archive) }, { url: `${base}/cat_to_name.json` }],
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
    const asked = requests.length;
    expect(await fetchFlowers(undefined, source)).toMatchObject({ alreadyThere: true, images: IMAGES });
    expect(requests.length).toBe(asked);
  });

  test("a wrong hash: nothing is left there", async () => {
    answer = serve(BYTES);
    const source = { ...SOURCES["flowers-102"], files: [{ ...fileAt("flower_data.tar.gz"), md5: "f".repeat(32) }] };
    await expect(fetchFlowers(undefined, source)).rejects.toThrow("expected the published md5 hash");
    expect(existsSync(join(data(), "flowers-102"))).toBe(false);
  });

  test.each([
    ["a .zip", "mine.zip", "flowers"],
    ["a .tar.gz", "mine.tar.gz", "some/folder"],
    ["a .tar", "mine.tar", "."],
  ])("--from %s, wherever in it the data set lies", async (_, name, top) => {
    expect(await fetchFlowers(await flowersArchive(name, top))).toMatchObject({ alreadyThere: false, images: IMAGES });
    expect(await readdir(data())).toEqual(["flowers-102"]);
  });

  test("--from a directory, and from an address", async () => {
    const folder = join(root, "mine", "flowers");
    await writeTree(folder, FLOWERS);
    await writeFile(join(root, "mine", "cat_to_name.json"), NAMES);
    expect(await fetchFlowers(join(root, "mine"))).toMatchObject({ images: IMAGES });
    await rm(data(), { recursive: true });
    const archive = await readFile(await flowersArchive("x.zip", "flowers"));
    answer = serve(archive);
    expect(await fetchFlowers(`${base}/somewhere/else.zip?download=1`)).toMatchObject({ images: IMAGES });
  });

  test("--from a directory takes what the data set consists of, and nothing that lies beside it", async () => {
    const folder = join(root, "downloads");
    await writeTree(folder, { ...FLOWERS, "cat_to_name.json": NAMES, "tax/return.pdf": "secret", "train.zip": "x", "film.mkv": "x" });
    await writeTree(join(root, "elsewhere"), classes(["2"], 1));
    await rm(join(folder, "test"), { recursive: true });
    await symlink(join(root, "elsewhere"), join(folder, "test"));
    expect(await fetchFlowers(folder)).toMatchObject({ images: IMAGES });
    await rm(join(root, "elsewhere"), { recursive: true });
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
    const folder = join(root, "mine");
    await cp(join(import.meta.dirname, "../../pipeline/datasets/sample"), folder, { recursive: true });
    expect(await fetchDataset("fashion-mnist", { root: data(), from: folder })).toMatchObject({ images: { train: 6000, test: 1000 } });
    await rm(data(), { recursive: true });
    await expect(fetchDataset("fashion-mnist", { root: data(), from: join(folder, "train-images-idx3-ubyte.gz") })).rejects.toThrow(
      "expected 26,421,880 bytes as published",
    );
    await writeFile(join(root, "cifar-10-binary.tar.gz"), "x");
    await expect(fetchDataset("cifar-10", { root: data(), from: join(root, "cifar-10-binary.tar.gz") })).rejects.toThrow(
      "expected 170,052,171 bytes",
    );
  });

  test("what is another data set, or not whole, does not come there", async () => {
    await writeTree(join(root, "other"), { "x/a.txt": "x" });
    await expect(fetchFlowers(join(root, "other"))).rejects.toThrow("expected 'train' in it, at most 3 folders deep, found none");
    await writeTree(join(root, "half"), FLOWERS);
    const error = await fetchFlowers(join(root, "half")).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toContain("what came is not flowers-102");
    expect((error as Error).message).toContain(join(data(), "flowers-102", "cat_to_name.json"));
    expect(await readdir(data())).toEqual([]);
    await writeFile(join(root, "text.zip"), "no archive");
    await expect(fetchFlowers(join(root, "text.zip"))).rejects.toThrow("expected 'train' in it");
  });

  test("what is there and not whole stays, and is named", async () => {
    await mkdir(join(data(), "flowers-102", "train"), { recursive: true });
    await expect(fetchFlowers(root)).rejects.toThrow(`To fix: take ${join(data(), "flowers-102")} away, and fetch again`);
    expect(existsSync(join(data(), "flowers-102", "train"))).toBe(true);
  });

  test("misuse", async () => {
    for (const [name, from, message] of [
      ["fashion-mnist-sample", undefined, "part of the package"],
      ["miniplaces", undefined, "there is no official place to fetch it from"],
      ["flowers-102", join(root, "nothing"), "--from: there is no file or directory"],
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
    const archive = await flowersArchive("mine.zip", "flowers");
    await expect(fetchFlowers(archive)).rejects.toThrow(`is in use by process ${process.ppid}`);
    await writeFile(lock, `${2 ** 22 + 1}\n`);
    expect(await fetchFlowers(archive)).toMatchObject({ images: IMAGES });
  });
});

describe("two at a time", () => {
  test("what another process brought between the first look and the lock is found", async () => {
    const data = join(root, "data");
    await writeTree(join(root, "mine"), { ...FLOWERS, "cat_to_name.json": NAMES });
    await mkdir(data);
    await writeFile(join(data, ".flowers-102.lock"), ""); // as one that is just made: it is looked at for 0.2 s before it is taken over
    answer = (_, response) => response.writeHead(404).end();
    const source = { ...SOURCES["flowers-102"], files: [{ url: `${base}/flower_data.tar.gz` }] };
    const second = fetchDataset("flowers-102", { root: data, source, connection: quick });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await rename(join(root, "mine"), join(data, "flowers-102"));
    expect(await second).toEqual({ folder: join(data, "flowers-102"), alreadyThere: true, images: IMAGES });
    expect([requests, await readdir(data)]).toEqual([[], ["flowers-102"]]);
  });
});

describe("unpacking", () => {
  const into = () => join(root, "into", "here");
  const refuse = async (name: string, bytes: Uint8Array, message: string) => {
    await mkdir(into(), { recursive: true });
    await writeFile(join(root, name), bytes);
    await expect(unpack(join(root, name), into())).rejects.toThrow(message);
    expect(existsSync(join(root, "evil.txt"))).toBe(false);
    expect(existsSync(join(root, "into", "evil.txt"))).toBe(false);
  };
  /** A tar of one entry, whatever it is called. */
  const tarOf = (path: string, type = "0", link = ""): Buffer => {
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write("0000644\0", 100);
    header.write("0000000\0", 108);
    header.write("0000000\0", 116);
    header.write("00000000004\0", 124);
    header.write("00000000000\0", 136);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(link, 157);
    header.write("ustar\0", 257);
    header.write("00", 263);
    if (type !== "0") header.write("00000000000\0", 124);
    header.write(
      `${header
        .reduce((a, b) => a + b)
        .toString(8)
        .padStart(6, "0")}\0 `,
      148,
    );
    const content = type === "0" ? Buffer.concat([Buffer.from("evil"), Buffer.alloc(508)]) : Buffer.alloc(0);
    return Buffer.concat([header, content, Buffer.alloc(1024)]);
  };

  test.each([
    ["../evil.txt", "0", "", "leads out of the folder"],
    ["a/../../evil.txt", "0", "", "leads out of the folder"],
    ["/evil.txt", "0", "", "leads out of the folder"],
    ["..\\evil.txt", "0", "", "leads out of the folder"],
    ["link", "2", "../..", "is of the kind SymbolicLink"],
    ["link", "1", "../../evil.txt", "is of the kind Link"],
    ["device", "3", "", "is of the kind CharacterDevice"],
  ])("a tar with %s (type %s): refused", (path, type, link, message) => refuse("x.tar", tarOf(path, type, link), message));

  test("a zip that leads out of the folder, or has a link: refused", async () => {
    const folder = join(root, "make");
    await writeTree(folder, { "xxevil.txt": "evil" });
    const zip = await zipOf(folder);
    const renamed = Buffer.from(zip.toString("latin1").replaceAll("xxevil.txt", "../eil.txt"), "latin1");
    await refuse("x.zip", renamed, "../eil.txt");
    await symlink("/etc", join(folder, "link"));
    await refuse("y.zip", await zipOf(folder), "is a link");
  });

  test.each(["good.tar.gz", "good.zip"])("%s of more files or bytes than expected: refused before they are written", async (name) => {
    const archive = await flowersArchive(name, "flowers");
    const filesIn = async () => (await readdir(into(), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length;
    const attempt = async (limits: UnpackLimits) => {
      await rm(into(), { recursive: true, force: true });
      await mkdir(into(), { recursive: true });
      await unpack(archive, into(), { limits });
    };
    await attempt({ entries: 1000, bytes: 1e6 });
    const all = await filesIn();
    expect(all).toBeGreaterThan(5);
    await expect(attempt({ entries: 4, bytes: 1e6 })).rejects.toThrow(`${name}: refused: it holds more than 4 files and folders`);
    expect(await filesIn()).toBeLessThanOrEqual(4);
    await expect(attempt({ entries: 1000, bytes: 200 })).rejects.toThrow(`${name}: refused: it holds more than 200 B unpacked`);
    expect(await filesIn()).toBeLessThan(all);
  });

  test("what the disk does not take is not called a damaged archive", async () => {
    const tar = await flowersArchive("good.tar.gz", "flowers");
    await expect(unpack(tar, into())).rejects.toMatchObject({ code: "ENOENT", path: into() });
    const zip = await flowersArchive("good.zip", "flowers");
    await mkdir(into(), { recursive: true });
    await writeFile(join(into(), "flowers"), "a file in the folder's place");
    await expect(unpack(zip, into())).rejects.toMatchObject({ code: "ENOTDIR", path: expect.stringContaining(into()) });
  });

  test("damaged ones are named", async () => {
    const good = await readFile(await flowersArchive("good.tar.gz", "flowers"));
    await refuse("cut.tar.gz", good.subarray(0, good.length / 2), "the archive is damaged or cut short");
    const zip = await readFile(await flowersArchive("good.zip", "flowers"));
    await refuse("cut.zip", zip.subarray(0, zip.length / 2), "the archive is damaged or cut short");
    await refuse("none.zip", Buffer.from("no archive at all"), "expected a .tar.gz, .tar or .zip archive, found another file");
  });
});
