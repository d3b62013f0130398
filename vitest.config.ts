import { defineConfig } from "vitest/config";

const project = (name: string, include: string[], testTimeout: number) => ({
  test: { name, include, testTimeout, hookTimeout: testTimeout, pool: "forks" as const },
});

// "unit" is the fast default while working; "browser" drives a real Chromium; "end-to-end" trains, packs and installs.
// biome-ignore lint/style/noDefaultExport: vitest asks for one
export default defineConfig({
  test: {
    maxWorkers: 2,
    allowOnly: false,
    globalSetup: "tests/unpack-chromium.ts",
    projects: [
      project("unit", ["tests/!(end-to-end|browser)/**/*.test.ts"], 60_000),
      project("browser", ["tests/browser/**/*.test.ts"], 300_000),
      project("end-to-end", ["tests/end-to-end/**/*.test.ts"], 600_000),
    ],
  },
});
