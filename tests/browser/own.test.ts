import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { verifyModel } from "../../inference/golden-samples.node.ts";
import { encodePng } from "../../pipeline/encode.node.ts";
import { fivecrop, temporaryFolder } from "../cli/run.ts";
import { model, withMetadata } from "../inference/models.ts";
import { SHAPES, shapePicture } from "../training/make/shape-pictures.ts";
import { complaintsOf, launchChromium } from "./chromium.ts";
import { type Demo, serveDemo } from "./demo.ts";
import { longestTask } from "./main-thread.ts";

const EACH = 12;

let folder: string;
let server: Demo;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];
let requests: string[];

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
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  page = await context.newPage();
  complaints = complaintsOf(page);
  requests = [];
  context.on("request", (request) => requests.push(request.url()));
});
afterEach(() => context.close());

const status = () => page.locator("#own-status");
const says = (text: string | RegExp, timeout = 200_000) => status().filter({ hasText: text }).waitFor({ timeout });
const thumbnails = (card: number) => page.locator(`.own-class:nth-child(${card + 1}) .own-thumbnail`);

async function open(on: Page = page): Promise<void> {
  await on.goto(`${server.url}#own`);
  await on.locator(".own-class").nth(1).waitFor();
}

const fileOf = async (shape: (typeof SHAPES)[number], i: number) => ({
  name: `${shape} ${i}.png`,
  mimeType: "image/png",
  buffer: Buffer.from(await encodePng(shapePicture(shape, i))),
});

/** Two classes with pictures, by what a visitor presses. */
async function fill(each = EACH): Promise<void> {
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

async function choose(approach: "features" | "network", epochs: number): Promise<void> {
  await page.check(`input[name="approach"][value="${approach}"]`);
  await page.fill("#own-epochs", String(epochs));
  await page.press("#own-epochs", "Tab");
}

async function ask(shape: (typeof SHAPES)[number], i: number): Promise<{ label: string; probability: number }[]> {
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

async function download(): Promise<string> {
  const [given] = await Promise.all([page.waitForEvent("download"), page.click("#own-download")]);
  const file = join(folder, given.suggestedFilename());
  await given.saveAs(file);
  return file;
}

/** `fivecrop infer` answers for the same picture what the page did. */
async function expectInfersAnswer(file: string, shape: (typeof SHAPES)[number], i: number): Promise<void> {
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

describe("one's own classifier", () => {
  test("on features: trained, tried, downloaded, and Node gives the same answers; nothing leaves the machine, and no task is long", async () => {
    await page.goto(server.url);
    await page.click("#own-tab");
    await page.selectOption("#backend", "wasm");
    await fill();
    const { computing, wall, tasks } = await longestTask(browser, page, async () => {
      await page.click("#own-train");
      await says(/^Trained: 100 % of the pictures that were kept back/);
    });
    console.log(`longest of ${tasks} main-thread tasks while training: ${computing} ms of computing, ${wall} ms on the wall`);
    expect(tasks).toBeGreaterThan(100);
    expect(computing).toBeGreaterThan(0);
    expect(computing).toBeLessThanOrEqual(100);
    expect(await page.locator("#own-curves svg").count()).toBe(2);
    expect(await page.locator("#own-notes").textContent()).toContain("Features on wasm");
    for (const shape of SHAPES)
      for (let i = 100; i < 110; i++) {
        const [best] = await ask(shape, i);
        expect(best.label).toBe(shape);
      }
    const file = await download();
    const { samples, divergence } = await verifyModel(await readFile(file));
    expect([samples, divergence]).toEqual([3, undefined]);
    await expectInfersAnswer(file, SHAPES[0], 104);
    expect(requests.filter((url) => !url.startsWith(server.url) && !url.startsWith("blob:"))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("a network from nothing: stopped, gone on with after a reload, as good as new, and deleted", async () => {
    await open();
    await page.selectOption("#backend", "wasm");
    await fill();
    await choose("network", 25);
    await page.click("#own-train");
    await says(/^Epoch [2-9] of 25/);
    await page.click("#own-stop");
    await says(/^Stopped in epoch \d+ of 25/);
    const epoch = Number(/\d+/.exec((await status().textContent()) ?? "")?.[0]);
    await page.reload();
    await says(`Stopped in epoch ${epoch} of 25`);
    expect(await Promise.all([0, 1].map((card) => thumbnails(card).count()))).toEqual([EACH, EACH]);
    expect(await page.locator(".own-class input").evaluateAll((all) => all.map((input) => (input as HTMLInputElement).value))).toEqual([
      ...SHAPES,
    ]);
    expect(await page.locator("#own-train").textContent()).toBe("Resume");
    await page.click("#own-train");
    await says(/^Epoch \d+ of 25/);
    expect(Number(/\d+/.exec((await status().textContent()) ?? "")?.[0])).toBeGreaterThanOrEqual(epoch);
    await says(/^Trained: /);
    let right = 0;
    for (const shape of SHAPES) for (let i = 100; i < 110; i++) if ((await ask(shape, i))[0].label === shape) right++;
    expect(right).toBeGreaterThanOrEqual(19);
    const before = await ask(SHAPES[1], 120);
    await page.reload();
    await says(/^Trained: /);
    expect(await ask(SHAPES[1], 120)).toEqual(before);
    await expectInfersAnswer(await download(), SHAPES[1], 121);

    await page.locator("#own-reset").click();
    await page.locator("#own-made").waitFor({ state: "hidden" });
    expect(await thumbnails(0).count()).toBe(EACH);
    await page.click("#own-delete");
    await page.click("#own-confirm-yes");
    await expect.poll(() => page.locator(".own-thumbnail").count()).toBe(0);
    await page.reload();
    await page.locator(".own-class").nth(1).waitFor();
    expect(await page.locator(".own-thumbnail").count()).toBe(0);
    const left = await page.evaluate(async () => {
      const [{ name = "" }] = (await indexedDB.databases()).filter((one) => one.name?.startsWith("fivecrop-own"));
      const database = await new Promise<IDBDatabase>((opened) => {
        const asked = indexedDB.open(name);
        asked.onsuccess = () => opened(asked.result);
      });
      const counts = [...database.objectStoreNames].map(
        (store) =>
          new Promise<number>((counted) => {
            const asked = database.transaction(store).objectStore(store).count();
            asked.onsuccess = () => counted(asked.result);
          }),
      );
      return Promise.all(counts);
    });
    expect(left).toEqual([0, 0]);
    expect(complaints).toEqual([]);
  });
});

test("a camera's frames become pictures, one class is not enough, and a picture that cannot be read is said", async () => {
  await open();
  await page.locator(".own-class .record").first().click();
  await expect.poll(() => page.locator("#own-video").evaluate((video) => (video as HTMLVideoElement).videoWidth)).toBeGreaterThan(0);
  await page.click("#own-shutter");
  await page.click("#own-record");
  await expect.poll(() => thumbnails(0).count(), { timeout: 60_000 }).toBeGreaterThan(3);
  await page.click("#own-camera-close");
  await page.click("#own-train");
  await says("“Class 2” has no pictures yet");
  const drop = (name: string, text: string) =>
    page.evaluate(
      ([fileName, content]) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([content], fileName));
        document.querySelectorAll(".own-class")[1].dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
      },
      [name, text] as const,
    );
  await drop("drawing.svg", "<svg/>");
  await says("drawing.svg: cannot be read as a picture");
  await page.locator(".own-class .remove-class").nth(1).click();
  await expect.poll(() => page.locator(".own-class").count()).toBe(1);
  await page.click("#own-train");
  await says("two classes or more");
  const other = await context.newPage();
  await other.goto(`${server.url}#own`);
  await other.locator("#own-status").filter({ hasText: "Another tab of this browser" }).waitFor();
  expect(complaints).toEqual([]);
});

test("by keyboard, at the width of a phone", async () => {
  await page.goto(server.url);
  await page.focus("#classify-tab");
  await page.keyboard.press("ArrowRight");
  await page.locator(".own-class").nth(1).waitFor();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("own-tab");
  expect(await page.locator("#classify-panel").isHidden()).toBe(true);
  const reached: string[] = [];
  for (let i = 0; i < 16; i++) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => `${document.activeElement?.id} ${document.activeElement?.className}`.trim()));
  }
  for (const wanted of ["remove-class", "pick", "record", "own-add-class", "own-delete", "own-mirror", "own-epochs", "own-train"])
    expect(reached.join(", ")).toContain(wanted);
  for (const width of [320, 390, 1280]) {
    await page.setViewportSize({ width, height: 844 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
});

test("on WebGPU, by a software adapter: tried, trained, and what it made answers in Node", async () => {
  const gpu = await launchChromium({ webgpu: true });
  try {
    page = await (await gpu.newContext()).newPage();
    complaints = complaintsOf(page);
    await open();
    await page.selectOption("#backend", "webgpu");
    await fill(4);
    await choose("network", 2);
    await page.click("#own-train");
    await says(/^Trained: /);
    expect(await page.locator("#own-notes").textContent()).toMatch(
      /^Training on webgpu: webgpu was asked for: its loss after a step differs by/,
    );
    await expectInfersAnswer(await download(), SHAPES[0], 100);
    expect(complaints).toEqual([]);
  } finally {
    await gpu.close();
  }
});
