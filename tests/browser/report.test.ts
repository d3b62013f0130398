import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compareRuns } from "../../training/report/compare.ts";
import { comparePage } from "../../training/report/compare-page.ts";
import { reportPage } from "../../training/report/report-page.ts";
import { DEFAULTS } from "../../training/run-config.ts";
import { temporaryFolder } from "../cli/run.ts";
import { historyOf, logsOf, type MadeOptions, madeContent } from "../training/report/content.ts";
import { complaintsOf, launchChromium } from "./chromium.ts";

let browser: Browser;
let folder: string;
beforeAll(async () => {
  browser = await launchChromium();
  folder = await temporaryFolder();
});
afterAll(() => browser?.close());

const report = (options: MadeOptions) => async (): Promise<string> => reportPage(await madeContent(options));
const runs = Array.from({ length: 12 }, (_, i) => ({
  run: `runs/with a long name & <${i}>`,
  config: { ...DEFAULTS, model: "made-net", data: i % 2 ? "a" : "b", learningRate: 0.1 * (i + 1) },
  environment: { node: "20.19.0" },
  parameters: 1_000_000 * i,
  history: historyOf(i, 0.3 + i / 5),
  logs: i % 3 ? [] : logsOf(i + 1, 4),
  finished: i > 1,
}));
const PAGES: readonly (readonly [name: string, make: () => Promise<string>])[] = [
  ["2 classes, photos, one epoch", report({ classes: 2, images: 100, norms: 0, epochs: 1, size: [300, 200, 3] })],
  ["10 classes, 28 × 28 gray, calibrated", report({ classes: 10, images: 500, temperature: 1.4 })],
  ["102 classes, photos", report({ classes: 102, images: 3000, norms: 60, epochs: 60, size: [128, 96, 3] })],
  ["1000 classes, no epoch finished", report({ classes: 1000, images: 4000, norms: 169, epochs: 0, size: [32, 32, 3] })],
  ["3 classes, no epoch finished, logs", report({ classes: 3, images: 60, norms: 1, epochs: 0, logs: 7 })],
  ["3 classes, epochs and logs", report({ classes: 3, images: 60, norms: 1, epochs: 3, logs: 4 })],
  ["12 runs compared", async () => comparePage(compareRuns(runs))],
];

/** The contrast of two colours by WCAG, from 1 to 21, of the page's text on its ground. */
const contrast = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const { color, backgroundColor } = getComputedStyle(document.body);
    const [text, ground] = [color, backgroundColor].map((value) => {
      const [r, g, b] = (value.match(/\d+/g) ?? []).map((c) => {
        const x = Number(c) / 255;
        return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    });
    return Math.max(text, ground) / Math.min(text, ground);
  });

describe.each(PAGES)("%s", (name, make) => {
  let file: string;
  let markup: string;
  beforeAll(async () => {
    file = join(folder, `${name.replace(/\W+/g, "-")}.html`);
    markup = await make();
    await writeFile(file, markup);
  });

  test.each([
    [390, "light"],
    [390, "dark"],
    [1200, "light"],
    [1200, "dark"],
  ] as const)("at %i pixels, %s: nothing complains, is loaded, or sticks out", async (width, colorScheme) => {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const complaints = complaintsOf(page);
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    try {
      await page.goto(`file://${file}`);
      expect(await page.evaluate(() => [...document.images].filter(({ naturalWidth }) => naturalWidth === 0).length)).toBe(0);
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([`file://${file}`]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      expect(await contrast(page)).toBeGreaterThan(7);
      const ink = await page.evaluate(() => {
        const text = document.querySelector("figure:not(.matrix-picture) svg text");
        return text && getComputedStyle(text).fill;
      });
      if (ink) expect(ink).toBe(colorScheme === "dark" ? "rgb(209, 213, 219)" : "rgb(55, 65, 81)");
    } finally {
      await page.close();
    }
  });

  test("says in words what it shows, and has no script", async () => {
    const page = await browser.newPage();
    try {
      await page.goto(`file://${file}`);
      const silent = await page.evaluate(() => ({
        pictures: [...document.images].filter(({ alt }) => !alt).length,
        charts: [...document.querySelectorAll("svg")].filter((svg) => svg.getAttribute("role") !== "img" || !svg.getAttribute("aria-label"))
          .length,
        tables: [...document.querySelectorAll("table")].filter((table) => !table.caption?.textContent).length,
        scripts: document.scripts.length,
        ids: [...document.querySelectorAll("[id]")].filter(({ id }, i, all) => all.findIndex((other) => other.id === id) !== i).length,
        dead: [...document.querySelectorAll<HTMLAnchorElement>("a[href^='#']")].filter((a) => !document.querySelector(a.hash)).length,
      }));
      expect(silent).toEqual({ pictures: 0, charts: 0, tables: 0, scripts: 0, ids: 0, dead: 0 });
      const text = markup.replace(/data:image[^"]*/g, "");
      expect(text.match(/.{20}(?:NaN|undefined|Infinity|https?:\/\/(?!www\.w3\.org)).{20}/g)).toBeNull();
      expect(markup.length).toBeLessThan(3_000_000);
    } finally {
      await page.close();
    }
  });

  test("on paper it is light, and nothing is cut off", async () => {
    const page = await browser.newPage({ viewport: { width: 718, height: 1000 }, colorScheme: "dark" });
    try {
      await page.goto(`file://${file}`);
      await page.emulateMedia({ media: "print", colorScheme: "dark" });
      expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(255, 255, 255)");
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(718);
      expect((await page.pdf({ format: "A4" })).subarray(0, 5).toString()).toBe("%PDF-");
    } finally {
      await page.close();
    }
  });
});
