// Bundles the pages, so that an installed package serves them offline, with nothing left to build:
// demo/page into demo/site, and inference/verify-page.browser.ts into inference/verify-page.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { build } from "esbuild";

const PAGE = "demo/page";
const DECODER = createRequire(import.meta.url).resolve("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm");

/** The runtimes stay files of their own: their threads load them again. WebAssembly's own build is half as large as the one for all. */
const RUNTIMES = { "onnxruntime-web": "ort.wasm.bundle.min.mjs", "onnxruntime-web/webgpu": "ort.webgpu.bundle.min.mjs" };
const runtime = {
  name: "runtime",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^onnxruntime-web(\/webgpu)?$/ }, ({ path }) => ({ path: `./runtime/${RUNTIMES[path]}`, external: true })),
};

/** What a page loads only when it is asked for it: our own modules that are imported on demand, each a bundle of its own. */
const onDemand = new Map();
const demanded = {
  name: "on demand",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\./ }, ({ path, kind, resolveDir }) => {
      if (kind !== "dynamic-import") return undefined;
      const name = basename(path, ".ts");
      onDemand.set(name, join(resolveDir, path));
      return { path: `./${name}.js`, external: true };
    }),
};

const bundle = (entryPoints, outdir) =>
  build({
    entryPoints,
    outdir,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    logLevel: "warning",
    plugins: [runtime, demanded],
  });

/** Writes the pages' scripts and files into this folder of what is built. */
export async function buildPages(built) {
  const site = join(built, "demo/site");
  const verify = join(built, "inference/verify-page");
  mkdirSync(site, { recursive: true });
  const scripts = ["page", "worker", "service-worker", "own/own", "own/own-worker"];
  await bundle(Object.fromEntries(scripts.map((name) => [basename(name), join(PAGE, `${name}.ts`)])), site);
  await bundle(Object.fromEntries(onDemand), site);
  for (const file of ["index.html", "style.css", "icon.svg"]) copyFileSync(join(PAGE, file), join(site, file));
  copyFileSync(join(PAGE, "own/own.css"), join(site, "own.css"));
  await bundle({ script: "inference/verify-page.browser.ts" }, verify);
  writeFileSync(
    join(verify, "index.html"),
    '<!doctype html><title>fivecrop verify</title><script type="module" src="script.js"></script>\n',
  );
  for (const folder of [site, verify]) copyFileSync(DECODER, join(folder, "mozjpeg_dec.wasm"));
}
