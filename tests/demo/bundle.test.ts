import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** Our own modules that are imported on demand stay out, as a bundler that splits code keeps them. */
const onDemand = (found: string[]): Plugin => ({
  name: "on demand",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^\./ }, ({ path, kind }) => {
      if (kind !== "dynamic-import") return undefined;
      found.push(path);
      return { path, external: true };
    }),
});

/** A page's script, bundled. @returns its text, the packages that it would load, and what it imports on demand */
async function bundle(
  contents: string,
): Promise<{ readonly text: string; readonly packages: readonly string[]; readonly later: readonly string[] }> {
  const later: string[] = [];
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: ROOT, loader: "ts" },
    bundle: true,
    format: "esm",
    platform: "browser",
    minify: true,
    write: false,
    metafile: true,
    logLevel: "silent",
    plugins: [onDemand(later)],
  });
  const packages = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).flatMap((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? []),
  );
  return { text: outputFiles[0].text, packages: [...new Set(packages)].sort(), later };
}

test("what a page does not use is not in its bundle", async () => {
  const small = await bundle('import { parseViews } from "./browser.ts"; console.log(parseViews("five-crop"));');
  expect(small.packages).toEqual(["leven"]); // "did you mean"
  expect(small.text.length).toBeLessThan(8_000);
});

test("a classifier needs the runtime and the JPEG decoder; only what explains answers, on demand, reads and writes ONNX", async () => {
  const { packages, later } = await bundle(
    'import { loadClassifier } from "./browser.ts"; console.log(await loadClassifier(new Uint8Array()));',
  );
  expect(packages).toEqual(["@jsquash/jpeg", "leven", "onnxruntime-web"]);
  expect(later).toEqual(["../export/grad-cam.ts"]);
});

test("all of it bundles for a browser: no Node built-in", async () => {
  const { packages } = await bundle('export * from "./browser.ts";');
  expect(packages).not.toContain("sharp");
  expect(packages).toContain("onnx-proto");
});
