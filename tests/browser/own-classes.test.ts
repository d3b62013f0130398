import { expect, test } from "vitest";
import { encodePng } from "../../pipeline/encode.node.ts";
import { createImage, type Image } from "../../pipeline/image.ts";
import { SHAPES } from "../training/make/shape-pictures.ts";
import {
  ask,
  choose,
  complaints,
  context,
  download,
  drop,
  expectInfersAnswer,
  fill,
  open,
  page,
  says,
  server,
  thumbnails,
} from "./own-page.ts";

/** Stripes of green: no shape of the others. */
function photo(i: number): Image {
  const image = createImage(60, 50, 3);
  for (let at = 0; at < 3000; at++) image.data.set([20, at % (6 + i) < 3 ? 230 : 90, 40], 3 * at);
  return image;
}

test("of three classes, one of them dropped: trained, its curves live while it runs, tried and downloaded", async () => {
  await open();
  await page.selectOption("#backend", "wasm");
  await fill(6);
  await page.click("#own-add-class");
  await thumbnails(2).first().waitFor({ state: "detached" });
  await page.locator(".own-class input").nth(2).fill("photo");
  await page.locator(".own-class input").nth(2).press("Enter");
  for (let i = 0; i < 6; i++) await drop(2, `photo ${i}.png`, Buffer.from(await encodePng(photo(i))).toString("base64"));
  await expect.poll(() => thumbnails(2).count(), { timeout: 60_000 }).toBe(6);
  await choose("network", 40);
  await page.click("#own-train");
  const drawn: number[] = [];
  const places = async (): Promise<number> =>
    page
      .locator("#own-curves polyline.training")
      .first()
      .evaluate((line) => new Set(line.getAttribute("points")?.split(" ") ?? []).size);
  for (const epoch of [/^Epoch [2-9] of 40/, /^Epoch [1-3]\d of 40/]) {
    await says(epoch);
    await expect.poll(places).toBeGreaterThan(drawn.at(-1) ?? 0);
    drawn.push(await places());
    expect(await page.locator("#own-stop").isVisible()).toBe(true); // it is not over
  }
  expect(drawn[0]).toBeLessThan(30);
  await says(/^Trained: /);
  expect(await places()).toBe(40);
  const answers = await ask(SHAPES[0], 100);
  expect(answers.map(({ label }) => label).sort()).toEqual([...SHAPES, "photo"].sort());
  await expectInfersAnswer(await download(), SHAPES[0], 101);
  expect(complaints).toEqual([]);
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
  await drop(1, "drawing.svg", Buffer.from("<svg/>").toString("base64"));
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

test("where a frame cannot be drawn, that is said, and no black picture is kept", async () => {
  await context.addInitScript(() => {
    OffscreenCanvas.prototype.getContext = () => null;
  });
  await open();
  await page.locator(".own-class .record").first().click();
  await page.locator("#own-record").waitFor();
  await page.click("#own-record");
  await says(/^The picture cannot be taken: this browser gives no canvas of \d+×\d+ pixels\.$/);
  expect(await page.locator("#own-camera").evaluate((dialog) => (dialog as HTMLDialogElement).open)).toBe(false);
  expect(await thumbnails(0).count()).toBe(0);
  expect(complaints).toEqual([]);
});

test("where the browser's storage fails, the tab says why it keeps nothing, and works", async () => {
  await context.route("**/own-worker.js", async (route) => {
    const response = await route.fetch();
    const fail = `IDBFactory.prototype.open = () => { throw new DOMException("The disk cannot be written.", "UnknownError"); };\n`;
    await route.fulfill({ response, body: fail + (await response.text()) });
  });
  await open();
  expect(await page.locator("#own-kept").textContent()).toBe(
    "This browser keeps nothing here (The disk cannot be written): pictures and what is trained end with this page.",
  );
  await drop(0, "photo.png", Buffer.from(await encodePng(photo(0))).toString("base64"));
  await expect.poll(() => thumbnails(0).count(), { timeout: 60_000 }).toBe(1);
  expect(complaints).toEqual([]);
});
