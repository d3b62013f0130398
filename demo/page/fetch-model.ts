import type { OfferedModel, Progress } from "./messages.ts";

const CACHE = "fivecrop-models";

/** `undefined` where the page is served insecurely, or the browser refuses to keep anything, as in private windows. */
async function openCache(): Promise<Cache | undefined> {
  return "caches" in self ? caches.open(CACHE).catch(() => undefined) : undefined;
}

/** Frees what was kept of this site's models and is not offered any more. */
export async function forgetOtherModels(offered: readonly OfferedModel[], under = "models/"): Promise<void> {
  const cache = await openCache();
  const folder = new URL(under, self.location.href).href; // other sites of the same origin share the store
  const listed = offered.map(({ url }) => new URL(url, self.location.href).href);
  for (const { url } of (await cache?.keys()) ?? []) if (url.startsWith(folder) && !listed.includes(url)) await cache?.delete(url);
}

/**
 * A model of the site's: from the browser's cache, else fetched and kept there for the next visit. Its address changes with its content.
 * @throws Error where the site does not answer.
 */
export async function fetchModel(
  { name, url, bytes }: OfferedModel,
  onProgress: (progress: Progress) => void,
): Promise<{ readonly bytes: Uint8Array; readonly cached: boolean }> {
  const cache = await openCache();
  const kept = await cache?.match(url).catch(() => undefined);
  if (kept) return { bytes: new Uint8Array(await kept.arrayBuffer()), cached: true };
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new Error(`${name}: the server answered ${response.status} ${response.statusText}.`);
  const result = new Uint8Array(bytes);
  let loaded = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { value, done } = await reader.read();
    if (done) break;
    if (loaded + value.length > bytes) break;
    result.set(value, loaded);
    loaded += value.length;
    onProgress({ kind: "progress", loaded, total: bytes });
  }
  if (loaded !== bytes) throw new Error(`${name}: expected ${bytes} bytes, received ${loaded}. Load the page again.`);
  await cache?.put(url, new Response(result)).catch(() => undefined); // no room: it is fetched again next time
  return { bytes: result, cached: false };
}
