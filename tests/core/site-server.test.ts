import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SiteServer, serveSite } from "../../core/site-server.node.ts";

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
let server: SiteServer;
beforeAll(async () => {
  server = await serveSite(
    new Map([
      ["index.html", text("<p>page</p>")],
      ["models/1f/a.onnx", text("model")],
    ]),
    0,
  );
});
afterAll(() => server.close());

/** One request with this path as it is: `fetch` would tidy it. */
const ask = (path: string, method = "GET"): Promise<{ status: number; body: string; headers: NodeJS.Dict<string | string[]> }> =>
  new Promise((done, failed) => {
    request({ host: "127.0.0.1", port: new URL(server.url).port, path, method }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part) => {
        body += part;
      });
      response.on("end", () => done({ status: response.statusCode ?? 0, body, headers: response.headers }));
    })
      .on("error", failed)
      .end();
  });

test("serves its files with types, isolated and allowed to reach nothing else", async () => {
  const { status, body, headers } = await ask("/");
  expect([status, body, headers["content-type"]]).toEqual([200, "<p>page</p>", "text/html; charset=utf-8"]);
  expect(headers["cross-origin-opener-policy"]).toBe("same-origin");
  expect(headers["cross-origin-embedder-policy"]).toBe("require-corp");
  expect(headers["content-security-policy"]).toMatch(/default-src 'none'.*connect-src 'self'/);
  expect((await ask("/models/1f/a.onnx?x=1")).body).toBe("model");
  expect(await ask("/index.html", "HEAD")).toMatchObject({ status: 200, body: "" });
});

test.each([
  "/../package.json",
  "/..%2fpackage.json",
  "/%2e%2e/package.json",
  "//etc/passwd",
  "/models/../index.html",
  "/models",
  "/%",
  "/%00",
  "/__proto__",
])("%s leads nowhere", async (path) => {
  expect((await ask(path)).status).toBe(404);
});

test("only reads", async () => {
  for (const method of ["POST", "PUT", "DELETE"]) expect((await ask("/", method)).status).toBe(405);
});

test("a message that is cut short or that its taker refuses is answered 400, and the server goes on", async () => {
  const taken: unknown[] = [];
  const own = await serveSite(new Map(), 0, { inbox: { path: "inbox", onMessage: (said) => taken.push(JSON.parse(said)) } });
  const post = (body: string) => fetch(`${own.url}inbox`, { method: "POST", body });
  try {
    expect((await post("no JSON")).status).toBe(400);
    const socket = connect(Number(new URL(own.url).port), "127.0.0.1");
    socket.write("POST /inbox HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
    await once(socket, "connect");
    socket.end();
    await once(socket.resume(), "close");
    expect((await post("[1]")).status).toBe(204);
    expect(taken).toEqual([[1]]);
  } finally {
    await own.close();
  }
});
