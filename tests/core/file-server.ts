import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { SourceFile } from "../../core/download.node.ts";

export type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** What is downloaded where it does not matter what. */
export const BYTES = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) % 251));
export const md5 = (bytes: Uint8Array): string => createHash("md5").update(bytes).digest("hex");
/** A connection's options for a server on this machine. */
export const quick = { tries: 4, pause: 1, patience: 2000 };

/** A folder and a file server, new for each test of the file that calls this. */
export function useSite() {
  const site = { root: "", base: "", requests: [] as string[], answer: nothing, fileAt, serve, sendAndCut };
  let server: ReturnType<typeof createServer>;
  beforeEach(async () => {
    site.root = await mkdtemp(join(tmpdir(), "fivecrop-fetch-"));
    site.requests = [];
    server = createServer((request, response) => {
      site.requests.push(request.headers.range ?? "all");
      site.answer(request, response, site.requests.length);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    site.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(site.root, { recursive: true, force: true });
  });

  function fileAt(path = "data.bin"): Required<Omit<SourceFile, "sha256">> {
    return { url: `${site.base}/${path}`, bytes: BYTES.length, md5: md5(BYTES) };
  }

  /** Sends these bytes and cuts the connection when they have arrived, as those from `from` on: cut at once, a busy machine may lose them too. */
  function sendAndCut(response: ServerResponse, bytes: Buffer, from = 0): void {
    const arrived = async (): Promise<boolean> => {
      const names = await readdir(site.root, { recursive: true }).catch(() => []); // the test is over
      const parts = names.filter((name) => name.endsWith(".part"));
      const sizes = await Promise.all(parts.map(async (name) => (await stat(join(site.root, name)).catch(() => undefined))?.size ?? 0));
      return sizes.some((size) => size >= from + bytes.length);
    };
    const cut = async (): Promise<void> => {
      while (!response.destroyed && !(await arrived())) await new Promise((wait) => setTimeout(wait, 5));
      response.destroy();
    };
    response.write(bytes, () => void cut());
  }

  /** Serves these bytes with ranges; at most `most` of them before the connection is cut. */
  function serve(bytes: Buffer, { most = Infinity, etag = '"1"' } = {}): Answer {
    return (request, response) => {
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
  }

  return site;
}

const nothing: Answer = (_, response) => response.writeHead(404).end();
