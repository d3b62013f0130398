// Builds dist/: TypeScript to JavaScript with types, and the files that the code reads from beside itself.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { buildPages } from "./build-pages.mjs";

const ASSETS = ["pipeline/datasets/sample", "models/pretrained"];
const EXECUTABLES = ["cli.js", "infer.js"];

/** Built beside dist/ and put in its place when it is whole: what runs from there meanwhile (npx builds it before its first command) finds all its files. */
const BUILT = "dist.new";

process.chdir(join(import.meta.dirname, ".."));
rmSync(BUILT, { recursive: true, force: true });
const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
const tsc = join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin.tsc);
execFileSync(process.execPath, [tsc, "--project", "tsconfig.build.json", "--outDir", BUILT], { stdio: "inherit" });
await buildPages(BUILT);
for (const asset of ASSETS) if (existsSync(asset)) cpSync(asset, join(BUILT, asset), { recursive: true });
for (const executable of EXECUTABLES) chmodSync(join(BUILT, executable), 0o755);
const replaced = `dist.${process.pid}`;
if (existsSync("dist")) renameSync("dist", replaced);
renameSync(BUILT, "dist");
rmSync(replaced, { recursive: true, force: true });
