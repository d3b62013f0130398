// Builds dist/: TypeScript to JavaScript with types, and the files that the code reads from beside itself.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { buildPages } from "./build-pages.mjs";

const ASSETS = ["pipeline/datasets/sample", "models/pretrained"];
const EXECUTABLES = ["cli.js", "infer.js"];

process.chdir(join(import.meta.dirname, ".."));
rmSync("dist", { recursive: true, force: true });
const manifest = createRequire(import.meta.url).resolve("typescript/package.json");
const tsc = join(dirname(manifest), JSON.parse(readFileSync(manifest, "utf8")).bin.tsc);
execFileSync(process.execPath, [tsc, "--project", "tsconfig.build.json"], { stdio: "inherit" });
await buildPages();
for (const asset of ASSETS) if (existsSync(asset)) cpSync(asset, join("dist", asset), { recursive: true });
for (const executable of EXECUTABLES) chmodSync(join("dist", executable), 0o755);
