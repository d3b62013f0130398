// The page as a set of files: what `fivecrop demo` serves, and what it writes for a static host.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Site } from "../core/site-server.node.ts";
import { RUNTIME_FOR_WEBGPU, runtimeFiles } from "../core/web-runtime.node.ts";

/** A model to offer. */
export interface SiteModel {
  readonly name: string;
  /** The last part of its address. */
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

const BUILT = fileURLToPath(new URL("site/", import.meta.url));
const SERVICE_WORKER = "service-worker.js";

const hashOf = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex").slice(0, 12);
const text = (content: string): Uint8Array => new TextEncoder().encode(content);

/** Whether the page has been built: it is, in an installed package. */
export const isBuilt = (): boolean => existsSync(BUILT);

/** The page's files, the runtime's, and these models with their list; a backbone is what the page's own classifiers read their features from. */
export async function createSite(models: readonly SiteModel[], backbone: SiteModel): Promise<Site> {
  const site = new Map<string, Uint8Array>();
  for (const file of await readdir(BUILT)) site.set(file, await readFile(join(BUILT, file)));
  for (const [file, content] of await runtimeFiles()) site.set(`runtime/${file}`, content);
  const offer = (folder: string, { name, fileName, bytes }: SiteModel): { name: string; url: string; bytes: number } => {
    const url = `${folder}/${hashOf(bytes)}/${fileName.replace(/[^\w.-]/g, "_")}`;
    return { name, url, bytes: bytes.length };
  };
  const source = offer("backbones", backbone);
  site.set("backbone.json", text(JSON.stringify(source)));
  const files = [...site.keys()].filter((file) => file !== SERVICE_WORKER).sort();
  const version = hashOf(Buffer.concat(files.map((file) => site.get(file) as Uint8Array)));
  const later = RUNTIME_FOR_WEBGPU.map((file) => `runtime/${file}`);
  const shell = { version, files: ["./", "models.json", ...files.filter((file) => !later.includes(file))] };
  site.set(SERVICE_WORKER, Buffer.concat([text(`const SHELL = ${JSON.stringify(shell)};\n`), site.get(SERVICE_WORKER) as Uint8Array]));
  site.set(source.url, backbone.bytes);
  const list = models.map((model) => {
    const offered = offer("models", model);
    site.set(offered.url, model.bytes);
    return offered;
  });
  site.set("models.json", text(JSON.stringify(list)));
  return site;
}
