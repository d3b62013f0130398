import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { loadClassifier } from "../../inference/classifier.node.ts";
import { model, withMetadata } from "../inference/models.ts";
import { openScript } from "./library-page.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const PHOTO = join(ROOT, "tests/fixtures/photos/shapes.jpg");

test("the README's script for a page, word for word", async () => {
  const blocks = Array.from(readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/```js\n([\s\S]*?)```/g), ([, text]) => text);
  const [script] = blocks.filter((text) => text.includes('from "fivecrop/browser"'));
  const bytes = withMetadata(model());
  const opened = await openScript(
    { stdin: { contents: script, resolveDir: ROOT }, alias: { "fivecrop/browser": "./browser.ts" } },
    '<input type="file"><output></output>',
    new Map([["model.onnx", bytes]]),
  );
  try {
    await opened.page.waitForLoadState("networkidle");
    await opened.page.setInputFiles("input", PHOTO);
    const output = opened.page.locator("output");
    await expect.poll(() => output.textContent()).not.toBe("");
    const classifier = await loadClassifier(bytes);
    const { predictions } = await classifier.classify(PHOTO, { views: "five-crop", top: 3 });
    await classifier.dispose();
    expect(await output.textContent()).toBe(predictions.map(({ label }) => label).join(", "));
    expect(opened.complaints).toEqual([]);
  } finally {
    await opened.close();
  }
});
