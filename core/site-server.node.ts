import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { text } from "node:stream/consumers";

/** Content by path from the site's root, `page.js`, `models/1f…/squeezenet.onnx`. Nothing else is ever served. */
export type Site = ReadonlyMap<string, Uint8Array>;

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".onnx": "application/octet-stream",
};

/** Cross-origin isolation gives WebAssembly its threads; the content security policy lets the page reach nothing but its own site. */
const HEADERS: Readonly<Record<string, string>> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cache-Control": "no-cache",
};

/** The file that a request names: looked up in the site's table, so that no path leads anywhere else. */
function pathOf(url: string): string {
  try {
    const path = decodeURIComponent(url.split("?")[0]).slice(1);
    return path === "" ? "index.html" : path;
  } catch {
    return "?"; // malformed escapes: no file has this name
  }
}

export interface ServeOptions {
  /** Where the page says something by POST, a text a request: a path that nobody else can guess. Elsewhere, and without it, POST is refused; what `onMessage` throws at is answered 400. */
  readonly inbox?: { readonly path: string; readonly onMessage: (text: string) => void };
}

export interface SiteServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves a site on this machine only.
 * @param port 0 takes any that is free
 * @throws an error with a code, as node:net does, where the port cannot be had.
 */
export async function serveSite(site: Site, port: number, { inbox }: ServeOptions = {}): Promise<SiteServer> {
  const server: Server = createServer(async (request, response) => {
    const { method, url = "/" } = request;
    if (method === "POST" && inbox && pathOf(url) === inbox.path) {
      const taken = await text(request)
        .then(inbox.onMessage)
        .then(
          () => true,
          () => false, // cut short, or no message: who sent it is told
        );
      response.writeHead(taken ? 204 : 400, HEADERS).end();
      return;
    }
    const path = pathOf(url);
    const content = site.get(path);
    const status = method !== "GET" && method !== "HEAD" ? 405 : content ? 200 : 404;
    const body =
      status === 200 && content
        ? content
        : new TextEncoder().encode(status === 405 ? "Only GET is answered.\n" : "There is no such file.\n");
    const type = status === 200 ? (TYPES[extname(path)] ?? "application/octet-stream") : "text/plain; charset=utf-8";
    response.writeHead(status, { ...HEADERS, "Content-Type": type, "Content-Length": body.length });
    response.end(method === "HEAD" ? undefined : body);
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", failed).listen(port, "127.0.0.1", listening);
  });
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
