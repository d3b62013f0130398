import { launchChromium } from "../tests/browser/chromium.ts";
import { serveDemo } from "../tests/browser/demo.ts";

async function main() {
  const browser = await launchChromium({});
  for (const [name, width, scheme] of [
    ["wide", 1200, "light"],
    ["narrow", 390, "dark"],
  ] as const) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
    const page = await context.newPage();
    await page.goto("file:///tmp/honest-t/run/report.html");
    await page.screenshot({ path: `/tmp/honest-t/report-${name}-top.png` });
    await page.locator("#unsure").screenshot({ path: `/tmp/honest-t/report-${name}-unsure.png` });
    await page.locator("#duplicates").screenshot({ path: `/tmp/honest-t/report-${name}-dup.png` });
    console.log(name, await page.evaluate(() => document.documentElement.scrollWidth));
    await context.close();
  }
  const server = await serveDemo("/tmp/wt/honest/models/pretrained/squeezenet1.1-imagenet.onnx").catch((e) => {
    console.log(String(e));
    return undefined;
  });
  if (server) {
    for (const [name, width, scheme] of [
      ["wide", 1200, "light"],
      ["narrow", 390, "dark"],
    ] as const) {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
      const page = await context.newPage();
      await page.goto(server.url);
      await page.locator("#status").filter({ hasText: "Give it a picture" }).waitFor({ timeout: 120000 });
      await page.setInputFiles("#pick-picture", "/tmp/honest-t/lily.jpg");
      await page.locator("#status").filter({ hasText: "five crops" }).waitFor({ timeout: 120000 });
      await page.fill("#abstain", "90");
      await page.screenshot({ path: `/tmp/honest-t/page-${name}.png`, fullPage: true });
      await context.close();
    }
    server.child.kill();
  }
  await browser.close();
}
main().catch((e) => {
  console.error(e);
  process.exit(1);
});
