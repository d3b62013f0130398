// The second tab as a visitor has it, new for each test of the file that imports this.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { encodePng } from "../../pipeline/encode.node.ts";
import { fivecrop, temporaryFolder } from "../cli/run.ts";
import { model, withMetadata } from "../inference/models.ts";
import { SHAPES, shapePicture } from "../training/make/shape-pictures.ts";
import { complaintsOf, launchChromium } from "./chromium.ts";
import { type Demo, serveDemo } from "./demo.ts";

export const EACH = 12;

export let folder: string;
export let server: Demo;
export let browser: Browser;
export let context: BrowserContext;
export let page: Page;
export let complaints: string[];
export let requests: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, "model.onnx"), withMetadata(model(), { architecture: "halves" }));
  server = await serveDemo(join(folder, "model.onnx"));
  browser = await launchChromium({ args: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"] });
});
afterAll(async () => {
  await browser?.close();
  server?.child.kill();
});
/** What follows happens in another browser. */
export async function useBrowser(other: Browser): Promise<void> {
  context = await other.newContext({ viewport: { width: 390, height: 844 } });
  page = await context.newPage();
  complaints = complaintsOf(page);
  requests = [];
  context.on("request", (request) => requests.push(`${request.method()} ${request.url()}`));
}
beforeEach(() => useBrowser(browser));
afterEach(() => context.close());

export const status = () => page.locator("#own-status");
export const says = (text: string | RegExp, timeout = 200_000) => status().filter({ hasText: text }).waitFor({ timeout });
export const thumbnails = (card: number) => page.locator(`.own-class:nth-child(${card + 1}) .own-thumbnail`);

export async function open(on: Page = page): Promise<void> {
  await on.goto(`${server.url}#own`);
  await on.locator(".own-class").nth(1).waitFor();
}

export const fileOf = async (shape: (typeof SHAPES)[number], i: number) => ({
  name: `${shape} ${i}.png`,
  mimeType: "image/png",
  buffer: Buffer.from(await encodePng(shapePicture(shape, i))),
});

/** Two classes with pictures, by what a visitor presses. */
export async function fill(each = EACH): Promise<void> {
  for (const [card, shape] of SHAPES.entries()) {
    const name = page.locator(".own-class input").nth(card);
    await name.fill(shape);
    await name.press("Enter");
    const files = await Promise.all(Array.from({ length: each }, (_, i) => fileOf(shape, i)));
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.locator(".own-class .pick").nth(card).click()]);
    await chooser.setFiles(files);
    await expect.poll(() => thumbnails(card).count(), { timeout: 60_000 }).toBe(each);
  }
}

/** What a visitor drops on a class. */
export const drop = (card: number, name: string, base64: string): Promise<void> =>
  page.evaluate(
    ([at, fileName, content]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], fileName));
      document.querySelectorAll(".own-class")[at].dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
    },
    [card, name, base64] as const,
  );

export async function choose(approach: "features" | "network", epochs: number): Promise<void> {
  await page.check(`input[name="approach"][value="${approach}"]`);
  await page.fill("#own-epochs", String(epochs));
  await page.press("#own-epochs", "Tab");
}

export async function ask(shape: (typeof SHAPES)[number], i: number): Promise<{ label: string; probability: number }[]> {
  await page.evaluate(() => document.getElementById("own-bars")?.replaceChildren());
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.click("#own-pick")]);
  await chooser.setFiles(await fileOf(shape, i));
  const items = page.locator("#own-bars > li");
  await items.first().waitFor();
  return items.evaluateAll((all) =>
    all.map((item) => ({
      label: item.querySelector(".label")?.textContent ?? "",
      probability: Number((item as HTMLElement).dataset.probability),
    })),
  );
}

export async function download(): Promise<string> {
  const [given] = await Promise.all([page.waitForEvent("download"), page.click("#own-download")]);
  const file = join(folder, given.suggestedFilename());
  await given.saveAs(file);
  return file;
}

/** `fivecrop infer` answers for the same picture what the page did. */
export async function expectInfersAnswer(file: string, shape: (typeof SHAPES)[number], i: number): Promise<void> {
  const answers = await ask(shape, i);
  const picture = join(folder, "asked.png");
  await writeFile(picture, (await fileOf(shape, i)).buffer);
  const { code, stdout, stderr } = await fivecrop(["infer", "--model", file, "--json", picture], { cwd: folder });
  expect([code, stderr]).toEqual([0, ""]);
  const [{ predictions }] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  for (const { label, probability } of answers) {
    const found = predictions.find((prediction: { label: string }) => prediction.label === label);
    expect(Math.abs(found.probability - probability)).toBeLessThan(1e-4);
  }
}
