import { existsSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { download } from "../../core/download.node.ts";
import { FivecropError } from "../../core/errors.ts";
import { BYTES, md5, quick, useSite } from "./file-server.ts";

const site = useSite();
const { fileAt, serve, sendAndCut } = site;

describe("a download", () => {
  const target = () => join(site.root, "data.bin");

  test("arrives whole, with progress", async () => {
    site.answer = serve(BYTES);
    const seen: number[] = [];
    await download(fileAt(), target(), { ...quick, onProgress: (done, total) => seen.push(done, total!) });
    expect(await readFile(target())).toEqual(BYTES);
    expect(seen.slice(-2)).toEqual([BYTES.length, BYTES.length]);
    expect(await readdir(site.root)).toEqual(["data.bin"]);
  });

  test("goes on where the connection was cut, however often, as long as something comes", async () => {
    site.answer = serve(BYTES, { most: 40_000 });
    await download(fileAt(), target(), quick);
    expect(await readFile(target())).toEqual(BYTES);
    expect(site.requests.length).toBeGreaterThanOrEqual(8);
    expect(site.requests[0]).toBe("all");
    expect(site.requests.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range))).toBe(true);
  });

  test("gives up where nothing comes any more, keeps what there is, and goes on in the next call", async () => {
    site.answer = (request, response, count) =>
      count === 1 ? serve(BYTES, { most: 100_000 })(request, response, count) : response.destroy();
    const error = await download(fileAt(), target(), quick).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FivecropError);
    expect((error as Error).message).toMatch(/4 times\. [\d,]+ bytes are kept: the same command goes on from there/);
    const kept = (await readFile(`${target()}.part`)).length;
    expect(kept).toBeGreaterThan(0);
    site.answer = serve(BYTES);
    await download(fileAt(), target(), quick);
    expect(site.requests.at(-1)).toBe(`bytes=${kept}-`);
    expect(await readFile(target())).toEqual(BYTES);
  });

  test("starts anew where the file on the server has changed, or the server knows no ranges", async () => {
    site.answer = serve(Buffer.alloc(BYTES.length, 1), { most: 50_000, etag: '"old"' });
    await expect(download(fileAt(), target(), { ...quick, tries: 1 })).rejects.toThrow("cut");
    site.answer = serve(BYTES, { etag: '"new"' });
    await download(fileAt(), target(), quick);
    expect(await readFile(target())).toEqual(BYTES);
    await rm(target());
    site.answer = (_, response, count) => {
      response.writeHead(200, { "content-length": BYTES.length, etag: '"x"' });
      if (count % 2) sendAndCut(response, BYTES.subarray(0, 9000));
      else response.end(BYTES);
    };
    site.requests.length = 0;
    await download(fileAt(), target(), quick);
    expect(await readFile(target())).toEqual(BYTES);
  });

  /** What of a download is there: `have` bytes of a version. */
  const begin = async (have: Buffer, version = '"1"'): Promise<void> => {
    await writeFile(`${target()}.part`, have);
    await writeFile(`${target()}.part.version`, version);
  };
  const OLD = Buffer.alloc(100_000, 1);
  const unhashed = () => ({ url: `${site.base}/data.bin` });

  test("a server that names no version: nothing is gone on with, so that two versions cannot be mixed", async () => {
    site.answer = (_, response, count) => {
      response.writeHead(200, { "content-length": BYTES.length });
      if (count === 1) sendAndCut(response, OLD);
      else response.end(BYTES);
    };
    const error = await download(unhashed(), target(), { ...quick, tries: 1 }).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toMatch(/To fix: try again later: the same command begins anew\.$/);
    expect((await readFile(`${target()}.part`)).length).toBeGreaterThan(0);
    await download(unhashed(), target(), quick);
    expect(site.requests).toEqual(["all", "all"]);
    expect(await readFile(target())).toEqual(BYTES);
  });

  test("a server that heeds no if-range and sends the rest of another version: begun anew", async () => {
    await begin(OLD);
    site.answer = (request, response) => {
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const range = from ? { "content-range": `bytes ${from}-${BYTES.length - 1}/${BYTES.length}` } : {};
      response.writeHead(from ? 206 : 200, { etag: '"2"', ...range }).end(BYTES.subarray(from));
    };
    await download(unhashed(), target(), quick);
    expect(site.requests).toEqual([`bytes=${OLD.length}-`, "all"]);
    expect(await readFile(target())).toEqual(BYTES);
  });

  test("a server that tells versions apart by time only: gone on with", async () => {
    const time = "Mon, 06 May 2024 07:08:09 GMT";
    site.answer = (request, response, count) => {
      const from = count === 1 ? 0 : Number(/bytes=(\d+)-/.exec(request.headers.range!)![1]);
      if (from) expect(request.headers["if-range"]).toBe(time);
      const range = from ? { "content-range": `bytes ${from}-${BYTES.length - 1}/${BYTES.length}` } : {};
      const headers = { etag: 'W/"weak"', "last-modified": time, "content-length": BYTES.length - from, ...range };
      response.writeHead(from ? 206 : 200, headers);
      if (count > 1) response.end(BYTES.subarray(from));
      else sendAndCut(response, BYTES.subarray(0, 9000));
    };
    await download(fileAt(), target(), quick);
    expect(site.requests).toEqual(["all", "bytes=9000-"]);
    expect(await readFile(target())).toEqual(BYTES);
  });

  test.each<[string, () => Buffer, number]>([
    ["whole: taken as it is", () => BYTES, 1],
    ["too long: begun anew", () => Buffer.concat([BYTES, OLD]), 2],
  ])("416, for what is there is %s", async (_, have, asked) => {
    await begin(have());
    site.answer = (request, response, count) =>
      request.headers.range
        ? response.writeHead(416, { "content-range": `bytes */${BYTES.length}` }).end()
        : serve(BYTES)(request, response, count);
    await download(unhashed(), target(), quick);
    expect(site.requests.length).toBe(asked);
    expect(await readFile(target())).toEqual(BYTES);
    expect(await readdir(site.root)).toEqual(["data.bin"]);
  });

  test.each([
    ["from another byte on", { "content-range": `bytes 5-${BYTES.length - 1}/${BYTES.length}` }],
    ["without saying which", {}],
  ])("206 %s: begun anew", async (_, range) => {
    await begin(BYTES.subarray(0, 1000));
    site.answer = (request, response, count) =>
      request.headers.range
        ? response.writeHead(206, { etag: '"1"', ...range }).end(BYTES.subarray(5))
        : serve(BYTES)(request, response, count);
    await download(fileAt(), target(), quick);
    expect(site.requests).toEqual(["bytes=1000-", "all"]);
    expect(await readFile(target())).toEqual(BYTES);
  });

  test("a server that names another version in every answer, and always cuts: an end is made", async () => {
    site.answer = (_, response, count) => {
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
    site.answer = (request, response, count) => {
      if (count > 1) return serve(BYTES)(request, response, count);
      response.writeHead(200, { "content-length": BYTES.length, etag: '"1"' });
      response.write(BYTES.subarray(0, 1000));
    };
    await download(fileAt(), target(), { ...quick, patience: 300 });
    expect(await readFile(target())).toEqual(BYTES);
    expect(site.requests[1]).toBe("bytes=1000-");
  });

  test("503 is tried again, 404 is not", async () => {
    site.answer = (request, response, count) => (count < 3 ? response.writeHead(503).end() : serve(BYTES)(request, response, count));
    await download(fileAt(), target(), quick);
    expect(site.requests.length).toBe(3);
    site.answer = (_, response) => response.writeHead(404).end("not here");
    site.requests.length = 0;
    const error = await download(fileAt("gone.bin"), join(site.root, "gone.bin"), quick).catch((thrown: unknown) => thrown);
    expect((error as Error).message).toBe(
      `${site.base}/gone.bin: the server answers 404 Not Found. To fix: fetch the file by other means, and give it with --from FILE.`,
    );
    expect([site.requests.length, existsSync(join(site.root, "gone.bin.part"))]).toEqual([1, false]);
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
    site.answer = serve(BYTES);
    await expect(download(change(fileAt()), target(), quick)).rejects.toThrow(message);
    expect(await readdir(site.root)).toEqual([]);
  });
});
