// Keeps the page's own files, so that it opens without a network. Models are kept by the page's worker.

/** Written in front of this script when the site is put together. */
declare const SHELL: { readonly version: string; readonly files: readonly string[] };

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

interface Scope extends Window {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
}

const worker = self as unknown as Scope;
/** Of this page alone: another one of the same origin keeps its own. */
const PREFIX = `fivecrop-page ${worker.registration.scope} `;
const CACHE = PREFIX + SHELL.version;

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(SHELL.files.map((file) => new Request(file, { cache: "reload" })));
  await worker.skipWaiting();
}

async function activate(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  await worker.clients.claim();
}

/** Where the browser has no room for it, it is fetched again next time. */
const keep = async (cache: Cache | undefined, request: Request, response: Response): Promise<void> =>
  cache?.put(request, response.clone()).catch(() => undefined);

/** The list of models is asked for anew where there is a network; everything else belongs to one version. */
async function respond(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE).catch(() => undefined);
  if (!request.url.endsWith("/models.json")) {
    const kept = await cache?.match(request, { ignoreSearch: true });
    if (kept) return kept;
    const fetched = await fetch(request);
    if (fetched.ok && request.url.includes("/runtime/")) await keep(cache, request, fetched); // WebGPU's, which not every visitor needs
    return fetched;
  }
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await keep(cache, request, fresh);
    return fresh;
  } catch (error) {
    const kept = await cache?.match(request);
    if (kept) return kept;
    throw error;
  }
}

worker.addEventListener("install", (event) => (event as Extendable).waitUntil(install()));
worker.addEventListener("activate", (event) => (event as Extendable).waitUntil(activate()));
worker.addEventListener("fetch", (event) => {
  const { request } = event as Fetching;
  if (request.method === "GET" && new URL(request.url).origin === location.origin) (event as Fetching).respondWith(respond(request));
});
