import { type Browser, chromium, type Page } from "playwright-core";
import { HOW_TO_GET_A_BROWSER, installedBrowser, namedBrowser, npmBrowser } from "../../core/chromium.node.ts";

export interface LaunchOptions {
  readonly args?: readonly string[];
  /** With WebGPU, false. */
  readonly webgpu?: boolean;
}

/** A headless Chromium: the one that CHROME names, else npm's, else an installed one. @throws Error that says how to get one. */
export async function launchChromium({ args = [], webgpu = false }: LaunchOptions = {}): Promise<Browser> {
  const found = namedBrowser() ?? (await npmBrowser()) ?? installedBrowser();
  if (!found) throw new Error(`No browser for the tests: ${HOW_TO_GET_A_BROWSER}.`);
  const env = Object.fromEntries(Object.entries(found.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
  return chromium.launch({ executablePath: found.executable, env, args: [...found.args, ...(webgpu ? found.webgpu : []), ...args] });
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
