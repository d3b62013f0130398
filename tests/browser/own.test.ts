import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { verifyModel } from "../../inference/golden-samples.node.ts";
import { SHAPES } from "../training/make/shape-pictures.ts";
import { launchChromium } from "./chromium.ts";
import { longestTask } from "./main-thread.ts";
import {
  ask,
  browser,
  choose,
  complaints,
  context,
  download,
  EACH,
  expectInfersAnswer,
  fill,
  open,
  page,
  requests,
  says,
  server,
  status,
  thumbnails,
  useBrowser,
} from "./own-page.ts";

test("a task of the main thread is found by what it computes, and the browser's own observer finds it as well", async () => {
  await page.goto(server.url);
  const { computing } = await longestTask(browser, page, async () => {
    const observed = await page.evaluate(
      () =>
        new Promise<number>((found) => {
          new PerformanceObserver((list) => found(Math.max(...list.getEntries().map(({ duration }) => duration)))).observe({
            type: "longtask",
          });
          setTimeout(() => {
            for (const start = performance.now(); performance.now() - start < 400; ) Math.random();
          });
        }),
    );
    expect(observed).toBeGreaterThanOrEqual(395);
  });
  expect(computing).toBeGreaterThan(100);
});

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
    expect(requests.length).toBeGreaterThan(5);
    expect(requests.filter((request) => !request.startsWith(`GET ${server.url}`) && !request.startsWith("GET blob:"))).toEqual([]);

    await choose("features", 5);
    for (const how of ["other epochs", "anew"]) {
      await page.click("#own-train");
      await page.locator("#own-notes", { hasNotText: "Features on" }).waitFor();
      await says(/^Trained: .* kept back are recognized\.$/);
      expect(await page.locator("#own-notes").textContent(), how).toMatch(/^Training on wasm/);
    }
    await page.uncheck("#own-mirror");
    await page.click("#own-train");
    await page.locator("#own-notes", { hasText: "Features on wasm" }).waitFor({ timeout: 60_000 });
    await page.click("#own-stop");
    await page.locator("#own-train").waitFor();
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
    const { computing, wall, tasks } = await longestTask(browser, page, async () => {
      await page.click("#own-train");
      await says(/^Epoch \d+ of 25/);
      expect(Number(/\d+/.exec((await status().textContent()) ?? "")?.[0])).toBeGreaterThanOrEqual(epoch);
      await says(/^Trained: /);
    });
    console.log(`longest of ${tasks} main-thread tasks while training a network: ${computing} ms of computing, ${wall} ms on the wall`);
    expect(tasks).toBeGreaterThan(50);
    expect(computing).toBeGreaterThan(0);
    expect(computing).toBeLessThanOrEqual(100);
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
    await choose("network", 1);
    await page.click("#own-train");
    await says(/^Trained: /);
    expect(await page.locator("#own-bars > li").count(), "answers of the network before").toBe(0);
    expect([await page.locator("#own-picture").isVisible(), await page.locator("#own-answer").textContent()]).toEqual([false, ""]);
    await page.click("#own-delete");
    await page.keyboard.press("Enter"); // what has the focus keeps it
    await page.locator("#own-confirm").waitFor({ state: "hidden" });
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
    await useBrowser(gpu);
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
    await context.close();
    await gpu.close();
  }
});
