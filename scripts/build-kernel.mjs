// Compiles pipeline/resize.kernel.ts (AssemblyScript) and writes it as base64 into pipeline/resize.kernel.generated.ts.
// With --check it writes nothing and fails where that file is not what the source compiles to.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compileString } from "assemblyscript/asc";

const folder = join(import.meta.dirname, "../pipeline");
const source = readFileSync(join(folder, "resize.kernel.ts"), "utf8");
const target = join(folder, "resize.kernel.generated.ts");

const { binary, error, stderr } = await compileString(source, {
  optimizeLevel: 3,
  shrinkLevel: 0,
  noAssert: true,
  runtime: "stub",
  importMemory: true,
  enable: ["simd"],
});
if (error) {
  console.error(`${stderr}\n${error.message}`);
  process.exit(1);
}
const text = `// Generated from resize.kernel.ts: npm run build:kernel
/** ${binary.length} bytes of WebAssembly, in base64. */
export const KERNEL =
  "${Buffer.from(binary).toString("base64")}";
`;
if (!process.argv.includes("--check")) {
  writeFileSync(target, text);
  console.log(`resize.kernel.generated.ts: ${binary.length} bytes of WebAssembly`);
} else if (readFileSync(target, "utf8") !== text) {
  console.error("pipeline/resize.kernel.generated.ts is not what resize.kernel.ts compiles to. To fix: npm run build:kernel");
  process.exit(1);
}
