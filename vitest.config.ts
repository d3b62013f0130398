import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], testTimeout: number, env: Record<string, string> = {}) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout, pool: "forks" as const, env },
});

/** The software adapter that npm's Chromium brings: what a process must be started with for onnxruntime-node to find it. */
const SOFTWARE_ADAPTER = {
  VK_ICD_FILENAMES: join(tmpdir(), "vk_swiftshader_icd.json"),
  LD_LIBRARY_PATH: [tmpdir(), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter),
};

// "unit" is the fast default while working; "browser" drives a real Chromium; "end-to-end" trains, packs and installs; "webgpu" trains in Node on a graphics adapter.
// biome-ignore lint/style/noDefaultExport: vitest asks for one
export default defineConfig({
  test: {
    maxWorkers: 2,
    allowOnly: false,
    globalSetup: "tests/unpack-chromium.ts",
    projects: [
      project("unit", ["tests/!(end-to-end|browser|webgpu)/**/*.test.ts"], 60_000),
      project("browser", ["tests/browser/**/*.test.ts"], 300_000),
      project("end-to-end", ["tests/end-to-end/**/*.test.ts"], 600_000),
      project(
        "webgpu",
        ["tests/webgpu/**/*.test.ts"],
        600_000,
        process.platform === "linux" && process.arch === "x64" ? SOFTWARE_ADAPTER : {},
      ),
    ],
  },
});
