import { afterEach, beforeEach, expect, test } from "vitest";
import { verifyInBrowser } from "../../inference/verify-browser.node.ts";
import { browserProgram, HAS_PROGRAMS } from "../core/browser-program.ts";
import { model } from "./models.ts";

const { CHROME } = process.env;
beforeEach(() => {
  delete process.env.CHROME;
});
afterEach(() => {
  if (CHROME === undefined) delete process.env.CHROME;
  else process.env.CHROME = CHROME;
});

const STARTS_AND_STOPS = `const site = process.argv.at(-1);
setInterval(() => undefined, 1000);
(async () => {
  const { inbox } = await (await fetch(site + "job.json")).json();
  await fetch(site + inbox, { method: "POST", body: JSON.stringify({ kind: "started", browser: "Chrome/1" }) });
})();`;

test.runIf(HAS_PROGRAMS).each([
  ["never starts", "setInterval(() => undefined, 1000);", { start: 0.5, device: 900 }, "opened no page within 0.5 seconds"],
  ["says nothing once it has started", STARTS_AND_STOPS, { start: 60, device: 0.5 }, "said nothing of wasm within 0.5 seconds"],
])("a browser that %s is not waited for", async (_, script, patience, message) => {
  process.env.CHROME = await browserProgram(script);
  const found = verifyInBrowser(model(), { devices: ["wasm"], name: "m.onnx", patience });
  await expect(found.next()).rejects.toThrow(message);
});
