import { randomUUID } from "node:crypto";
import { findBrowser } from "../../core/chromium.node.ts";
import { FivecropError } from "../../core/errors.ts";
import { openPage } from "../../core/open-page.node.ts";
import { serveSite } from "../../core/site-server.node.ts";

interface Found {
  readonly product: number;
  /** What the adapter calls itself; `null` where there is none. */
  readonly webgpu: string | null;
}

const siteFor = (inbox: string): ReadonlyMap<string, Uint8Array> => {
  const files = {
    "index.html": '<!doctype html><script type="module" src="page.js"></script>',
    "page.js": `const adapter = await navigator.gpu?.requestAdapter();
const { vendor, architecture, device, description } = adapter?.info ?? {};
const webgpu = adapter ? description || [vendor, device || architecture].filter(Boolean).join(" ") : null;
await fetch(${JSON.stringify(inbox)}, { method: "POST", body: JSON.stringify({ product: 6 * 7, webgpu }) });`,
  };
  return new Map(Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)]));
};

/** A page whose script computes, and asks for WebGPU. */
export async function tryBrowser(): Promise<string> {
  const program = await findBrowser();
  const path = randomUUID();
  let onMessage = (_text: string): void => undefined;
  const told = new Promise<Found>((resolve) => {
    onMessage = (text) => resolve(JSON.parse(text));
  });
  const server = await serveSite(siteFor(path), 0, { inbox: { path, onMessage: (text) => onMessage(text) } });
  const page = await openPage(program, server.url);
  try {
    const { product, webgpu } = await Promise.race([told, page.ended]);
    if (product !== 42) throw new FivecropError(`${program.executable} computes wrongly: 6 · 7 is 42, found ${product}`);
    return `${program.executable}, ${webgpu === null ? "without WebGPU" : `with WebGPU${webgpu && ` on ${webgpu}`}`}`;
  } finally {
    await page.close();
    await server.close();
  }
}
