import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const INSTALLED = [
  "/usr/bin/google-chrome",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const HOW =
  "No browser for the tests: npm's @sparticuz/chromium runs on Linux x64; elsewhere install Chrome or Chromium, or set CHROME to its program.";

/** The Chromium that npm installed brings its shared libraries, and unpacks them where it believes to be on that platform. */
async function fromNpm(): Promise<{ executablePath: string; env: NodeJS.ProcessEnv } | undefined> {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const before = { AWS_EXECUTION_ENV: process.env.AWS_EXECUTION_ENV, LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH };
  process.env.AWS_EXECUTION_ENV = "AWS_Lambda_nodejs20.x";
  const { default: npmChromium } = await import("@sparticuz/chromium");
  const executablePath = await npmChromium.executablePath();
  for (const [name, value] of Object.entries(before))
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  const libraries = [join(tmpdir(), "al2023", "lib"), before.LD_LIBRARY_PATH].filter(Boolean).join(":");
  return { executablePath, env: { ...process.env, LD_LIBRARY_PATH: libraries } };
}

/** A headless Chromium: the one of npm, else an installed one. @throws Error that says how to get one. */
export async function launchChromium(args: readonly string[] = []): Promise<Browser> {
  const installed = [process.env.CHROME ?? "", ...INSTALLED].find((file) => file && existsSync(file));
  const found = (!process.env.CHROME && (await fromNpm())) || (installed ? { executablePath: installed, env: process.env } : undefined);
  if (!found) throw new Error(HOW);
  const env = Object.fromEntries(Object.entries(found.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  return chromium.launch({ executablePath: found.executablePath, env, args: ["--no-sandbox", ...args] });
}

/** Collects what the page writes to its console as errors and warnings, and what it throws. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`thrown: ${error.message}`));
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  return complaints;
}
