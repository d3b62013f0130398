import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadClassifier } from "../../inference/classifier.node.ts";
import { withGoldenSamples } from "../../inference/golden-samples.node.ts";
import { temporaryFolder } from "../cli/run.ts";
import { model, withMetadata } from "../inference/models.ts";
import { complaintsOf, launchChromium } from "./chromium.ts";
import { type Demo, serveDemo } from "./demo.ts";
import { withWrongSamples } from "./spoiled.ts";

const PHOTO = resolve(import.meta.dirname, "../fixtures/photos/shapes.jpg");
const CARRYING = await withGoldenSamples(withMetadata(model(), { architecture: "halves" }));
const LOG = await withGoldenSamples(withMetadata(model("N", "LogSoftmax"), { outputKind: "log-probabilities" }));

let server: Demo;
let browser: Browser;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  const file = join(await temporaryFolder(), "model.onnx");
  await writeFile(file, CARRYING);
  server = await serveDemo(file);
});
afterAll(() => void server?.child.kill());
afterEach(() => browser?.close());

const status = () => page.locator("#status");
const backendStatus = () => page.locator("#backend-status");
const says = (text: string | RegExp) => backendStatus().filter({ hasText: text }).waitFor({ timeout: 120_000 });
const isReady = () => status().filter({ hasText: "Give it a picture" }).waitFor();

async function open(webgpu: boolean): Promise<void> {
  browser = await launchChromium({ webgpu });
  page = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
  complaints = complaintsOf(page);
  await page.goto(server.url);
  await isReady();
}

const drop = (name: string, bytes: Uint8Array) =>
  page.evaluate(
    ([fileName, base64]) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], fileName));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
    },
    [name, Buffer.from(bytes).toString("base64")] as const,
  );

async function expectNodesAnswer(by: string, bytes: Uint8Array = CARRYING): Promise<void> {
  await status().filter({ hasText: `five crops` }).filter({ hasText: by }).waitFor();
  const classifier = await loadClassifier(bytes);
  const { predictions } = await classifier.classify(PHOTO, { views: "five-crop" });
  await classifier.dispose();
  const items = page.locator("#average > li");
  expect(await items.locator(".label").allTextContents()).toEqual(predictions.map(({ label }) => label));
  const found = await items.evaluateAll((all) => all.map((item) => Number((item as HTMLElement).dataset.probability)));
  found.forEach((probability, i) => {
    expect(Math.abs(probability - predictions[i].probability)).toBeLessThan(1e-4);
  });
}

describe("with WebGPU, by a software adapter", () => {
  beforeEach(() => open(true));

  test("both are tried on the golden samples and timed, and the faster one answers, with the numbers", async () => {
    await page.setInputFiles("#pick-picture", PHOTO);
    await expectNodesAnswer("WebAssembly with threads"); // meanwhile
    await says(/(WebGPU is right too and takes|WebAssembly takes) [\d.]+ ms\.$/);
    const text = (await backendStatus().textContent()) ?? "";
    const [, used, time] =
      /^(WebGPU|WebAssembly with threads), ([\d.]+) ms for five crops\. It answers the model's 3 golden samples rightly: no probability is off by more than \S+\. /.exec(
        text,
      ) ?? [];
    const [, other] = /takes ([\d.]+) ms\.$/.exec(text) ?? [];
    expect(Number(time)).toBeLessThanOrEqual(Number(other));
    await expectNodesAnswer(used);
    expect(complaints).toEqual([]);
  });

  test("by hand: WebGPU, which a second visit remembers and has stored, and WebAssembly again", async () => {
    await page.locator("#offline").waitFor({ state: "visible" });
    await page.setInputFiles("#pick-picture", PHOTO);
    await page.selectOption("#backend", "webgpu");
    await says(/^WebGPU, [\d.]+ ms for five crops\. It answers the model's 3 golden samples rightly/);
    await expectNodesAnswer("WebGPU");
    await drop("other.onnx", withMetadata(model()));
    await says("The model carries no golden samples; on 3 generated pictures it answers as WebAssembly does");
    await expectNodesAnswer("WebGPU");

    server.child.kill();
    await once(server.child, "close");
    await page.reload();
    await says(/^WebGPU, /);
    await page.setInputFiles("#pick-picture", PHOTO);
    await expectNodesAnswer("WebGPU");
    await page.selectOption("#backend", "wasm");
    await says(/^WebAssembly with threads, .* rightly: no probability is off by more than \S+\.$/);
    await expectNodesAnswer("WebAssembly with threads");
    // the list of models is asked for anew where there is a network, and a trial that is not wanted any more is cut off
    expect(complaints.filter((line) => !/models\.json|runtime\/.* net::ERR_ABORTED$/.test(line))).toEqual([]);
  });
});

describe("falling back, with the reason", () => {
  beforeEach(async () => {
    if (server.child.exitCode === null && server.child.signalCode === null) return;
    const file = join(await temporaryFolder(), "model.onnx");
    await writeFile(file, CARRYING);
    server = await serveDemo(file);
  });

  test("what WebGPU cannot run", async () => {
    await open(true);
    await page.selectOption("#backend", "webgpu");
    await says(/^WebGPU, /);
    await page.setInputFiles("#pick-picture", PHOTO);
    await drop("log.onnx", LOG);
    await says(
      /^WebGPU is not used: log\.onnx: WebGPU does not run all of this graph: some of its operators would run on the processor\. WebAssembly with threads, /,
    );
    await expectNodesAnswer("WebAssembly with threads", LOG);
  });

  test("a file that both answer otherwise than it says is not used, and the one before goes on", async () => {
    await open(true);
    await page.setInputFiles("#pick-picture", PHOTO);
    await expectNodesAnswer("WebAssembly");
    for (const choice of ["wasm", "webgpu", "auto"]) {
      await page.selectOption("#backend", choice);
      await drop("wrong.onnx", withWrongSamples(CARRYING));
      await status().filter({ hasText: "wrong.onnx: WebAssembly answers otherwise than the file's golden samples say, by 0." }).waitFor();
      expect(await status().getAttribute("data-kind")).toBe("error");
    }
    await page.setInputFiles("#pick-picture", PHOTO);
    await expectNodesAnswer("WebAssembly");
  });

  test("a browser without an adapter", async () => {
    await open(false);
    await says(/rightly: no probability is off by more than \S+\. WebGPU is not used: this browser has no [^.]+\.$/);
    await page.setInputFiles("#pick-picture", PHOTO);
    await expectNodesAnswer("WebAssembly with threads");
    await page.selectOption("#backend", "webgpu");
    await says(/^WebGPU is not used: this browser has no [^.]+\. WebAssembly with threads, /);
    await expectNodesAnswer("WebAssembly with threads");
  });
});
