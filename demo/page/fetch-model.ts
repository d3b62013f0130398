import type { OfferedModel, Progress } from "./messages.ts";

const CACHE = "fivecrop-models";

/**
 * A model of the site's: from the browser's cache, else fetched and kept there for the next visit. Its address changes with its content.
 * @throws Error where the site does not answer.
 */
export async function fetchModel(
  { name, url, bytes }: OfferedModel,
  onProgress: (progress: Progress) => void,
): Promise<{ readonly bytes: Uint8Array; readonly cached: boolean }> {
  const cache = "caches" in self ? await caches.open(CACHE) : undefined; // only where the page is served securely
  const kept = await cache?.match(url);
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
  await cache?.put(url, new Response(result));
  return { bytes: result, cached: false };
}
