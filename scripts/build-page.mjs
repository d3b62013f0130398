// Bundles demo/page into dist/demo/site: an installed package serves it offline, with nothing left to build.
import { copyFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { build } from "esbuild";

const OUT = "dist/demo/site";
const PAGE = "demo/page";

/** The runtime stays a file of its own: its threads load that file again. Of its builds, the one for WebAssembly alone is half as large. */
const runtime = {
  name: "runtime",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^onnxruntime-web$/ }, () => ({ path: "./runtime/ort.wasm.bundle.min.mjs", external: true })),
};

/** Writes the page's scripts and files. */
export async function buildPage() {
  mkdirSync(OUT, { recursive: true });
  await build({
    entryPoints: ["page", "worker", "service-worker"].map((name) => join(PAGE, `${name}.ts`)),
    outdir: OUT,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    logLevel: "warning",
    plugins: [runtime],
  });
  for (const file of ["index.html", "style.css", "icon.svg"]) copyFileSync(join(PAGE, file), join(OUT, file));
  const decoder = createRequire(import.meta.url).resolve("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm");
  copyFileSync(decoder, join(OUT, "mozjpeg_dec.wasm"));
}
