import { once } from "node:events";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { selfContained } from "../../export/self-contained.ts";
import { loadClassifier, type NodeClassifierOptions } from "../../inference/classifier.node.ts";
import { preprocessFor } from "../../pipeline/preprocess-for.ts";
import { PRESETS } from "../../pipeline/presets.ts";
import { picture as sample, temporaryFolder } from "../cli/run.ts";
import { brightnessModel, metadata, model, withMetadata } from "../inference/models.ts";
import { complaintsOf, launchChromium } from "./chromium.ts";
import { type Demo, serveDemo } from "./demo.ts";
import { residentMemory } from "./memory.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const PHOTO = join(ROOT, "tests/fixtures/photos/shapes.jpg");
const MODEL = withMetadata(model(), { architecture: "halves" });
const OTHER = withMetadata(model("N", "Softmax"), { labels: ["west", "east", "north", "south"], outputKind: "probabilities" });

let folder: string;
let server: Demo;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let complaints: string[];
let requests: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, "model.onnx"), MODEL);
  await writeFile(join(folder, "other.onnx"), OTHER);
  server = await serveDemo(join(folder, "model.onnx"));
  browser = await launchChromium({
    args: [
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
      "--enable-precise-memory-info",
      "--js-flags=--expose-gc",
    ],
  });
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

const status = () => page.locator("#status");
const isReady = () => status().filter({ hasText: "Give it a picture" }).waitFor();
const isAnswered = () => status().filter({ hasText: "five crops" }).waitFor();
const probabilitiesIn = (list: string) =>
  page.locator(`${list} > li`).evaluateAll((items) => items.map((item) => Number((item as HTMLElement).dataset.probability)));
const labelsIn = (list: string) => page.locator(`${list} > li > .label`).allTextContents();
const open = async () => {
  await page.goto(server.url);
  await isReady();
};

async function expectNodesAnswer(file: string, bytes: Uint8Array = MODEL, options: NodeClassifierOptions = {}): Promise<void> {
  const classifier = await loadClassifier(bytes, options);
  const { predictions, views } = await classifier.classify(file, { views: "five-crop" });
  await classifier.dispose();
  expect(await labelsIn("#average")).toEqual(predictions.map(({ label }) => label));
  (await probabilitiesIn("#average")).forEach((probability, i) => {
    expect(Math.abs(probability - predictions[i].probability)).toBeLessThan(1e-4);
  });
  for (const [i, view] of views.entries()) {
    const best = await probabilitiesIn(`#views > li:nth-child(${i + 1}) .bars`);
    expect(best.length).toBe(3);
    expect(Math.abs(best[0] - Math.max(...view.probabilities))).toBeLessThan(1e-4);
  }
}

/** Files as the clipboard or a drag carries them. */
const give = (event: "paste" | "drop", name: string, bytes: Uint8Array) =>
  page.evaluate(
    ([kind, fileName, base64]) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], fileName));
      const made =
        kind === "paste"
          ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
          : new DragEvent("drop", { dataTransfer: data, bubbles: true });
      document.body.dispatchEvent(made);
    },
    [event, name, Buffer.from(bytes).toString("base64")] as const,
  );

describe("the page", () => {
  test("answers a JPEG and a PNG as Node does, and asks nobody else", async () => {
    await open();
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    for (const file of [PHOTO, sample("bag")]) {
      await page.setInputFiles("#pick-picture", file);
      await isAnswered();
      await expect.poll(() => page.locator("#picture").getAttribute("aria-label")).toContain(file === PHOTO ? "320 by 240" : "28 by 28");
      await expectNodesAnswer(file);
    }
    expect(await status().textContent()).toContain("WebAssembly with threads");
    expect(requests.length).toBeGreaterThan(5);
    expect(requests.filter((url) => !url.startsWith(server.url) && !url.startsWith("blob:"))).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("draws the five crops where the model looks", async () => {
    await open();
    await page.setInputFiles("#pick-picture", PHOTO);
    await isAnswered();
    expect(await page.locator("#views h3").allTextContents()).toEqual(["center", "upper left", "lower left", "lower right", "upper right"]);
    const colourAt = (x: number, y: number) =>
      page.locator("#picture").evaluate(
        (canvas, [px, py]) => {
          const { data } = (canvas as HTMLCanvasElement).getContext("2d")!.getImageData(px, py, 1, 1);
          return [...data.subarray(0, 3)];
        },
        [x, y] as const,
      );
    expect(await colourAt(1, 100)).not.toEqual(await colourAt(60, 100));
    await page.locator("#views > li").nth(1).focus(); // upper left alone: its right edge at 8/9 of the height, 240 · 8/9
    const edge = await Promise.all([210, 211, 212].map((x) => colourAt(x, 100)));
    expect(edge).toContainEqual([229, 119, 11]);
  });

  test("shows why, lays it over each picture while it is asked for, and says where it cannot", async () => {
    await open();
    await give("drop", "brightness.onnx", brightnessModel());
    await status().filter({ hasText: "brightness.onnx" }).filter({ hasText: "Give it a picture" }).waitFor();
    await page.setInputFiles("#pick-picture", PHOTO);
    await isAnswered();
    const drawn = () => page.locator("#picture").evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const why = page.locator("#why-status");
    const before = await drawn();
    expect(await why.textContent()).toBe("");
    await page.check("#why");
    await why.filter({ hasText: /^Bright places speak for (bright|dark)/ }).waitFor();
    const over = await drawn();
    expect(over).not.toBe(before);
    await page.setInputFiles("#pick-picture", sample("bag"));
    await expect.poll(drawn).not.toBe(over);
    await why.filter({ hasText: "Bright places speak for" }).waitFor();
    await page.uncheck("#why");
    await page.setInputFiles("#pick-picture", PHOTO);
    await expect.poll(drawn).toBe(before);
    expect(await why.textContent()).toBe("");
    await page.selectOption("#model", { index: 0 }); // a linear model
    await page.check("#why");
    await why.filter({ hasText: "expected a map of features" }).waitFor();
    await page.uncheck("#why");
    expect(await why.textContent()).toBe("");
    expect(complaints).toEqual([]);
  });

  test("takes dropped and pasted pictures, another model, and the camera", async () => {
    await open();
    await give("drop", "shapes.jpg", readFileSync(PHOTO));
    await isAnswered();
    await give("drop", "other.onnx", OTHER);
    await expect.poll(() => labelsIn("#average")).toContain("north");
    await expectNodesAnswer(PHOTO, OTHER);
    expect(await page.locator("#model option").allTextContents()).toEqual(["halves", "squeezenet1.1-imagenet", "other.onnx"]);
    await page.selectOption("#model", { index: 0 });
    await expect.poll(() => labelsIn("#average")).toContain("top");
    await give("paste", "bag.png", readFileSync(sample("bag")));
    await expect.poll(() => page.locator("#picture").getAttribute("aria-label")).toContain("28 by 28");
    await expectNodesAnswer(sample("bag"));
    await page.click("#camera-button");
    await expect.poll(() => page.locator("#video").evaluate((video) => (video as HTMLVideoElement).videoWidth)).toBeGreaterThan(0);
    await page.click("#shutter");
    await expect.poll(() => page.locator("#picture").getAttribute("aria-label")).not.toContain("28 by 28");
    expect(await page.locator("#camera").evaluate((dialog) => (dialog as HTMLDialogElement).open)).toBe(false);
    expect(complaints).toEqual([]);
  });

  test("says that it is not sure where the visitor asks for more, at once and for the next picture", async () => {
    await open();
    await page.setInputFiles("#pick-picture", PHOTO);
    await isAnswered();
    const verdict = () => page.locator("#verdict").textContent();
    const [best] = await probabilitiesIn("#average");
    const [label] = await labelsIn("#average");
    expect(await verdict()).toBe("");
    await page.fill("#abstain", String(Math.ceil(100 * best)));
    expect(await verdict()).toBe(`Not sure. Best guess: ${label}`);
    expect(await labelsIn("#average")).toHaveLength(4);
    await page.fill("#abstain", String(Math.floor(100 * best)));
    expect(await verdict()).toBe("");
    await page.fill("#abstain", "100");
    await give("drop", "bag.png", readFileSync(sample("bag")));
    await expect.poll(() => page.locator("#picture").getAttribute("aria-label")).toContain("28 by 28");
    expect(await verdict()).toBe(`Not sure. Best guess: ${(await labelsIn("#average"))[0]}`);
    for (const none of ["", "0", "101"]) {
      await page.fill("#abstain", none);
      expect(await verdict()).toBe("");
      expect(await page.locator("#abstain").getAttribute("aria-invalid")).toBe(String(none !== "0"));
    }
    expect(complaints).toEqual([]);
  });

  test("says what is wrong, and goes on", async () => {
    await open();
    await give("drop", "drawing.svg", Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
    await expect.poll(() => status().textContent()).toContain("drawing.svg: cannot be read as a picture.");
    await give("drop", "bare.onnx", model());
    await expect.poll(() => status().textContent()).toContain("bare.onnx carries no fivecrop metadata");
    await give("drop", "shapes.jpg", readFileSync(PHOTO));
    await isAnswered();
    await expectNodesAnswer(PHOTO);
    expect(complaints).toEqual([]);
  });

  test("takes a file without metadata once its labels and preprocessing are said, by keyboard alone", async () => {
    const shown = (id: string) => page.locator(`#foreign-${id}`).textContent();
    const picked = () => page.locator("#model").evaluate((select) => (select as HTMLSelectElement).selectedOptions[0].text);
    const said = (preset: keyof typeof PRESETS, labels: readonly string[]) => ({
      preprocess: preprocessFor(PRESETS[preset], [1, 8, 8]),
      labels,
    });
    await open();
    expect(await page.locator("#foreign").isVisible()).toBe(false);
    await page.setInputFiles("#pick-picture", PHOTO);
    await isAnswered();
    await give("drop", "bare.onnx", model());
    await page.locator("#foreign-labels").waitFor();
    expect(await shown("title")).toBe("Labels and preprocessing of bare.onnx");
    expect(await shown("about")).toBe("It takes gray pictures, and answers with 4 logits.");
    expect(await page.inputValue("#foreign-preset")).toBe("zero-to-one");
    expect(await shown("spec")).toBe("The shorter side to 9 pixels, crops of 8 × 8; a pixel of [0, 1] minus 0, divided by 1.");
    expect(await picked()).toBe("halves"); // what answers
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("foreign-labels");
    for (const key of ["Tab", "Tab", "Enter"]) await page.keyboard.press(key);
    await expect.poll(() => labelsIn("#average")).toContain("class 0");
    await isAnswered();
    await expectNodesAnswer(PHOTO, model(), said("zero-to-one", ["class 0", "class 1", "class 2", "class 3"]));
    expect(await picked()).toBe("bare.onnx");
    expect(await page.locator("#foreign-labels").isVisible()).toBe(false);

    await page.focus("#foreign-title");
    await page.keyboard.press("Enter");
    await page.setInputFiles("#foreign-labels", { name: "two.txt", mimeType: "text/plain", buffer: Buffer.from("west\neast\n") });
    await page.press("#foreign-form button", "Enter");
    await expect.poll(() => shown("problem")).toBe("two.txt: expected 4 labels, as many as the model answers with; found 2.");
    await give("drop", "names.json", Buffer.from('{"0":"west","1":"east","2":"north","3":"south"}'));
    await page.selectOption("#foreign-preset", "minus-one-to-one");
    await page.press("#foreign-form button", "Enter");
    await expect.poll(() => labelsIn("#average")).toContain("west");
    await isAnswered();
    const compass = said("minus-one-to-one", ["west", "east", "north", "south"]);
    await expectNodesAnswer(PHOTO, model(), compass);

    await page.selectOption("#model", { index: 0 });
    await expect.poll(() => labelsIn("#average")).toContain("top");
    expect(await page.locator("#foreign").isVisible()).toBe(false);
    await page.selectOption("#model", { index: 2 });
    await expect.poll(() => labelsIn("#average")).toContain("west");
    await isAnswered();
    await expectNodesAnswer(PHOTO, model(), compass);
    await page.click("#foreign-title");
    expect(await shown("kept")).toBe("Without another file: those of names.json.");
    expect(await page.inputValue("#foreign-preset")).toBe("minus-one-to-one");
    for (const width of [320, 390, 1280]) {
      await page.setViewportSize({ width, height: 844 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
    expect(await page.locator("#model option").allTextContents()).toEqual(["halves", "squeezenet1.1-imagenet", "bare.onnx"]);
    expect(complaints).toEqual([]);
  });

  test("takes a self-contained file, whose graph averages itself", async () => {
    const whole = selfContained(model(), { metadata, views: "flip" });
    await open();
    await give("drop", "whole.onnx", whole);
    await status().filter({ hasText: "whole.onnx" }).filter({ hasText: "Give it a picture" }).waitFor();
    await page.setInputFiles("#pick-picture", PHOTO);
    await status().filter({ hasText: "2 crops" }).waitFor();
    const classifier = await loadClassifier(whole);
    const { predictions } = await classifier.classify(PHOTO);
    await classifier.dispose();
    expect(await labelsIn("#average")).toEqual(predictions.map(({ label }) => label));
    (await probabilitiesIn("#average")).forEach((probability, i) => {
      expect(Math.abs(probability - predictions[i].probability)).toBeLessThan(1e-4);
    });
    expect(await page.locator("#average-title").textContent()).toBe("Average of 2 crops");
    expect(await page.locator("#views > li h3").allTextContents()).toEqual(["center", "center flip"]);
    expect(await page.locator("#views .bar").count()).toBe(0);
    const mirrored = await page.locator("#views canvas").evaluateAll((found) => {
      const rows = found.map((canvas) => {
        const { width } = canvas as HTMLCanvasElement;
        const { data } = (canvas as HTMLCanvasElement).getContext("2d")!.getImageData(0, 20, width, 1);
        return Array.from({ length: width }, (_, x) => data[4 * x]);
      });
      return rows[1].reduce((largest, red, x) => Math.max(largest, Math.abs(red - rows[0][rows[0].length - 1 - x])), 0);
    });
    expect(mirrored).toBeLessThanOrEqual(8);
    expect(complaints).toEqual([]);
  });

  test("works by keyboard, and fits a phone in width", async () => {
    page.on("filechooser", (chooser) => chooser.setFiles(sample("bag"))); // from the start: it is caught only once somebody listens
    await open();
    await page.setInputFiles("#pick-picture", PHOTO);
    await isAnswered();
    const reached: string[] = [];
    for (let i = 0; i < 10; i++) {
      await page.keyboard.press("Tab");
      reached.push(await page.evaluate(() => document.activeElement?.id || document.activeElement?.className || ""));
    }
    for (const id of ["model", "pick-model-button", "pick-picture-button", "camera-button", "view"]) expect(reached).toContain(id);
    await page.focus("#pick-picture-button");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.locator("#picture").getAttribute("aria-label")).toContain("28 by 28");
    for (const width of [320, 390, 1280]) {
      await page.setViewportSize({ width, height: 844 });
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  });

  test("shows how far it is while a model loads, and nothing of it afterwards", async () => {
    await open();
    await page.evaluate(() => {
      const seen: string[] = [];
      Object.assign(globalThis, { seen });
      const bar = document.getElementById("progress") as HTMLProgressElement;
      const look = () => seen.push(`${bar.hidden ? "hidden" : bar.position}: ${document.getElementById("status")?.textContent}`);
      new MutationObserver(look).observe(document.body, { attributes: true, childList: true, characterData: true, subtree: true });
    });
    await page.selectOption("#model", { index: 1 });
    await status().filter({ hasText: "squeezenet" }).filter({ hasText: "Give it a picture" }).waitFor();
    const seen = await page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
    expect(seen.some((text) => /^0\.\d+: Loading squeezenet1\.1-imagenet: \d+ %$/.test(text))).toBe(true);
    expect(seen.some((text) => /^1: Starting squeezenet1\.1-imagenet …$/.test(text))).toBe(true);
    expect(await page.locator("#progress").isHidden()).toBe(true);
  });

  test.each(["light", "dark"] as const)("%s: every text stands out", async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await open();
    await page.setInputFiles("#pick-picture", PHOTO);
    await isAnswered();
    await give("drop", "bare.onnx", model());
    await page.locator("#foreign-labels").waitFor();
    await page.press("#foreign-labels", "Tab");
    const texts = "h1, h2, h3, label, summary, select, button, .soft, .label, .value, #status, #backend-status, footer p, footer strong";
    const faint = await page.locator(texts).evaluateAll((found) => {
      const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
      const luminance = (colour: string): number | undefined => {
        context.clearRect(0, 0, 1, 1);
        context.fillStyle = colour;
        context.fillRect(0, 0, 1, 1);
        const [r, g, b, alpha] = context.getImageData(0, 0, 1, 1).data;
        if (alpha === 0) return undefined;
        const [R, G, B] = [r, g, b].map((x) => (x / 255 <= 0.03928 ? x / 255 / 12.92 : ((x / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * R + 0.7152 * G + 0.0722 * B;
      };
      const backOf = (element: Element | null): number =>
        element ? (luminance(getComputedStyle(element).backgroundColor) ?? backOf(element.parentElement)) : 1;
      return found
        .filter((element) => (element as HTMLElement).checkVisibility() && element.textContent)
        .map((element) => {
          const [a, b] = [luminance(getComputedStyle(element).color) ?? 0, backOf(element)];
          return { text: element.textContent, contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) };
        })
        .filter(({ contrast }) => contrast < 4.5); // WCAG 2.2, 1.4.3
    });
    expect(faint).toEqual([]);
    const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(back).toBe(colorScheme === "dark" ? "rgb(20, 23, 28)" : "rgb(246, 247, 249)");
  });

  test("works without its server after the first visit", async () => {
    const own = await serveDemo(join(folder, "model.onnx"));
    await page.goto(own.url);
    await isReady();
    await page.locator("#offline").waitFor({ state: "visible" });
    own.child.kill();
    await once(own.child, "close");
    await page.reload();
    await isReady();
    expect(await status().textContent()).toContain("from this browser's cache");
    await page.setInputFiles("#pick-picture", PHOTO);
    await isAnswered();
    await expectNodesAnswer(PHOTO);
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  });

  test("works where the browser keeps nothing", async () => {
    await context.addInitScript(() => {
      Object.defineProperty(globalThis, "localStorage", {
        get: () => {
          throw new DOMException("Access is denied for this document.", "SecurityError");
        },
      });
    });
    await context.route("**/*.js", async (route) => {
      const response = await route.fetch();
      const refuse = `CacheStorage.prototype.open = async () => { throw new DOMException("no", "SecurityError"); };\n`;
      await route.fulfill({
        response,
        body: /\/(worker|page)\.js$/.test(route.request().url()) ? refuse + (await response.text()) : await response.body(),
      });
    });
    await open();
    await page.selectOption("#backend", "wasm");
    await isReady();
    await page.setInputFiles("#pick-picture", PHOTO);
    await isAnswered();
    await expectNodesAnswer(PHOTO);
  });

  test("loads a model that does not fit into the browser's store", async () => {
    await context.route("**/worker.js", async (route) => {
      const response = await route.fetch();
      const refuse = `Cache.prototype.put = async () => { throw new DOMException("no room", "QuotaExceededError"); };\n`;
      await route.fulfill({ response, body: refuse + (await response.text()) });
    });
    await open();
    expect(complaints).toEqual([]);
  });

  test("forgets models that are not offered any more, and no other site's", async () => {
    await open();
    const urls = await page.evaluate(async () => {
      const cache = await caches.open("fivecrop-models");
      for (const url of ["models/old/gone.onnx", "elsewhere/models/x/kept.onnx"]) await cache.put(url, new Response("old"));
      return (await cache.keys()).length;
    });
    expect(urls).toBe(3);
    await page.reload();
    await isReady();
    const left = await page.evaluate(async () => (await (await caches.open("fivecrop-models")).keys()).map(({ url }) => url));
    expect(left.map((url) => url.split("/").at(-1)).sort()).toEqual(["kept.onnx", "model.onnx"]);
  });

  test("asks for the camera once, however often its button is pressed meanwhile", async () => {
    await context.addInitScript(() => {
      const devices = navigator.mediaDevices;
      const ask = devices.getUserMedia.bind(devices);
      const streams: MediaStream[] = [];
      Object.assign(globalThis, { streams });
      devices.getUserMedia = async (wanted) => {
        await new Promise((later) => setTimeout(later, 500));
        const stream = await ask(wanted);
        streams.push(stream);
        return stream;
      };
    });
    await open();
    await page.evaluate(() => {
      for (let i = 0; i < 3; i++) document.getElementById("camera-button")?.click();
    });
    await expect.poll(() => page.locator("#video").evaluate((video) => (video as HTMLVideoElement).videoWidth)).toBeGreaterThan(0);
    await page.click("#camera-cancel");
    await page.waitForTimeout(1000);
    const states = await page.evaluate(() =>
      (globalThis as unknown as { streams: MediaStream[] }).streams.flatMap((stream) =>
        stream.getTracks().map(({ readyState }) => readyState),
      ),
    );
    expect(states).toEqual(["ended"]);
    expect(complaints).toEqual([]);
  });

  test("200 classifications leak nothing", async () => {
    const large = await sharp(PHOTO).resize(1280, 960).jpeg().toBuffer();
    await open();
    /** Drops the picture so many times, each after the answer to the one before. */
    const classifyTimes = (times: number) =>
      page.evaluate(
        async ([base64, count]) => {
          const line = document.getElementById("status") as HTMLElement;
          const file = new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], "large.jpg");
          for (let i = 0; i < count; i++) {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(file);
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
            do await new Promise((later) => setTimeout(later, 4));
            while (!line.textContent?.includes("five crops"));
          }
        },
        [large.toString("base64"), times] as const,
      );
    const collect = () => (globalThis as unknown as { gc(): void }).gc();
    const scripts = async (): Promise<number> => {
      await Promise.all([page.evaluate(collect), ...page.workers().map((worker) => worker.evaluate(collect))]);
      return page.evaluate(() => (performance as unknown as { memory: { usedJSHeapSize: number } }).memory.usedJSHeapSize);
    };
    await classifyTimes(20);
    const before = { scripts: await scripts(), resident: residentMemory() };
    await classifyTimes(200);
    const after = { scripts: await scripts(), resident: residentMemory() };
    console.log(
      `memory, MB: scripts ${before.scripts / 1e6} → ${after.scripts / 1e6}, browser ${before.resident / 1e6} → ${after.resident / 1e6}`,
    );
    expect(after.scripts - before.scripts).toBeLessThan(2e6);
    expect(after.resident - before.resident).toBeLessThan(150e6); // each picture, decoded, has 3.7 MB, and its bitmap 4.9
  });
});
