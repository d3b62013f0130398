import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { expect } from "vitest";
import type { Device } from "../../core/session.ts";
import { serveSite } from "../../core/site-server.node.ts";
import { runtimeFiles } from "../../core/web-runtime.node.ts";
import type { DeviceCheck } from "../../inference/check-device.ts";
import type { Verification } from "../../inference/verify-samples.ts";
import type { Image } from "../../pipeline/image.ts";
import { complaintsOf, type LaunchOptions, launchChromium } from "./chromium.ts";
import type { Library, Reading } from "./library.entry.ts";

declare const library: Library;
type Portable = Awaited<ReturnType<Library["decode"]>>;

const toImage = ({ width, height, channels, base64 }: Portable): Image => ({
  width,
  height,
  channels,
  data: new Uint8Array(Buffer.from(base64, "base64")),
});

/** The library in Chromium. */
export interface LibraryPage {
  readonly page: Page;
  readonly complaints: readonly string[];
  /** Makes a file fetchable. @returns its address */
  serve(bytes: Uint8Array): string;
  decode(bytes: Uint8Array, maxPixels?: number): Promise<Image>;
  resize(bytes: Uint8Array, ...rest: Parameters<Library["resize"]> extends [string, ...infer R] ? R : never): Promise<Image>;
  view(bytes: Uint8Array, ...rest: Parameters<Library["view"]> extends [string, ...infer R] ? R : never): Promise<Image>;
  classify(model: Uint8Array, pictures: readonly Uint8Array[], views: string, device?: Device): Promise<number[][]>;
  verify(model: Uint8Array, device: Device): Promise<Verification>;
  check(model: Uint8Array, device: Device): Promise<DeviceCheck | undefined>;
  canvas(model: Uint8Array): Promise<number[][]>;
  read(kind: Parameters<Library["read"]>[0], files: readonly (readonly [name: string, bytes: Uint8Array])[]): Promise<Reading[]>;
  close(): Promise<void>;
}

/** The runtime as a file of its own, which its threads load again. */
const runtimeBeside: Plugin = {
  name: "runtime",
  setup({ onResolve }) {
    const file = { "onnxruntime-web": "ort.wasm.bundle.min.mjs", "onnxruntime-web/webgpu": "ort.webgpu.bundle.min.mjs" };
    onResolve({ filter: /^onnxruntime-web(\/webgpu)?$/ }, ({ path }) => ({ path: `./${file[path as keyof typeof file]}`, external: true }));
  },
};

/** A page around one script, its site's files, which may be added to, and what it complains of. */
export interface ScriptPage {
  readonly page: Page;
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** Bundles a script as a user's bundler does, and opens it in Chromium. */
export async function openScript(
  script: BuildOptions,
  body: string,
  files: Map<string, Uint8Array>,
  options: LaunchOptions = {},
): Promise<ScriptPage> {
  const { outputFiles } = await build({
    ...script,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    write: false,
    plugins: [runtimeBeside],
    logLevel: "warning",
  });
  const resolve = createRequire(import.meta.url).resolve;
  const html = `<!doctype html><title>test</title><link rel="icon" href="data:,">${body}<script type="module" src="script.js"></script>`;
  files.set("index.html", new TextEncoder().encode(html));
  files.set("script.js", outputFiles?.[0].contents ?? new Uint8Array());
  files.set("mozjpeg_dec.wasm", readFileSync(resolve("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm")));
  for (const [file, content] of await runtimeFiles()) files.set(file, content);
  const server = await serveSite(files, 0);
  const browser: Browser = await launchChromium(options);
  const page = await browser.newPage();
  const complaints = complaintsOf(page);
  await page.goto(server.url);
  expect(complaints).toEqual([]);
  const close = async (): Promise<void> => {
    await browser.close();
    await server.close();
  };
  return { page, complaints, close };
}

/** The library in Chromium, its functions called from here. */
export async function openLibrary(options: LaunchOptions = {}): Promise<LibraryPage> {
  const site = new Map<string, Uint8Array>();
  const { page, complaints, close } = await openScript({ entryPoints: [join(import.meta.dirname, "library.entry.ts")] }, "", site, options);
  let count = 0;
  const serve = (bytes: Uint8Array): string => {
    const name = `file-${count++}`;
    site.set(name, bytes);
    return name;
  };
  return {
    page,
    complaints,
    serve,
    decode: async (bytes, maxPixels) =>
      toImage(await page.evaluate(([url, most]) => library.decode(url, most), [serve(bytes), maxPixels] as const)),
    resize: async (bytes, size, filter) =>
      toImage(await page.evaluate(([url, s, f]) => library.resize(url, s, f), [serve(bytes), size, filter] as const)),
    view: async (bytes, view, spec) =>
      toImage(await page.evaluate(([url, v, s]) => library.view(url, v, s), [serve(bytes), view, spec] as const)),
    classify: (model, pictures, views, device) =>
      page.evaluate(([m, p, v, d]) => library.classify(m, p, v, d), [serve(model), pictures.map(serve), views, device] as const),
    verify: (model, device) => page.evaluate(([m, d]) => library.verify(m, d), [serve(model), device] as const),
    check: (model, device) => page.evaluate(([m, d]) => library.check(m, d), [serve(model), device] as const),
    read: (kind, files) =>
      page.evaluate(([k, list]) => library.read(k, list), [
        kind,
        files.map(([name, bytes]) => [name, Buffer.from(bytes).toString("base64")] as const),
      ] as const),
    canvas: (model) => page.evaluate((m) => library.canvas(m), serve(model)),
    close,
  };
}
