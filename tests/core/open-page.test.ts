import { expect, test } from "vitest";
import { openPage } from "../../core/open-page.node.ts";
import { browserProgram, HAS_PROGRAMS } from "./browser-program.ts";

const STUBBORN = `process.on("SIGTERM", () => undefined);
require("node:child_process").spawn("sleep", ["30"], { stdio: "inherit" });
process.stderr.write("ready");
setInterval(() => undefined, 1000);`;

test.runIf(HAS_PROGRAMS)("a browser that does not end when asked, and whose child outlives it, is closed all the same", async () => {
  const executable = await browserProgram(STUBBORN);
  const page = await openPage({ executable, env: process.env, args: [], webgpu: [] }, "http://localhost/");
  await new Promise((later) => setTimeout(later, 1000));
  const start = performance.now();
  await page.close();
  expect(performance.now() - start).toBeLessThan(20_000);
});
