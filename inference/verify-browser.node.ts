import { randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findBrowser } from "../core/chromium.node.ts";
import { FivecropError } from "../core/errors.ts";
import { fileReason } from "../core/file-error.ts";
import { openPage } from "../core/open-page.node.ts";
import type { Device } from "../core/session.ts";
import { serveSite } from "../core/site-server.node.ts";
import { runtimeFiles } from "../core/web-runtime.node.ts";
import type { Verification } from "./verify-samples.ts";

/** What the page is to do. */
export interface Job {
  readonly devices: readonly Device[];
  /** Where it says what it found. */
  readonly inbox: string;
  /** The model's, for messages. */
  readonly name: string;
}

export type FromPage =
  | { readonly kind: "started"; readonly browser: string }
  | { readonly kind: "verified"; readonly device: Device; readonly verification: Verification }
  | { readonly kind: "failed"; readonly device: Device; readonly message: string };

/** What a device in a browser answered, or why it did not. */
export type BrowserResult = { readonly device: Device; readonly browser: string } & (
  | { readonly verification: Verification }
  | { readonly error: string }
);

export interface VerifyInBrowserOptions {
  readonly devices: readonly Device[];
  /** What an error's message calls the model. */
  readonly name: string;
  /** Ends the browser. */
  readonly signal?: AbortSignal;
}

const BUILT = fileURLToPath(new URL(`${import.meta.url.endsWith(".ts") ? "../dist/inference/" : ""}verify-page/`, import.meta.url));
const START_SECONDS = 120;

/**
 * Replays the golden samples of a model in a browser of this machine, without a window: a page that this process serves does it, and says what it found.
 * @throws FivecropError where there is no browser, or it ends or says nothing; the signal's reason.
 */
export async function* verifyInBrowser(
  model: Uint8Array,
  { devices, name, signal }: VerifyInBrowserOptions,
): AsyncGenerator<BrowserResult> {
  const program = await findBrowser();
  const inbox = randomUUID();
  const site = new Map<string, Uint8Array>([["model.onnx", model]]);
  site.set("job.json", new TextEncoder().encode(JSON.stringify({ devices, inbox, name } satisfies Job)));
  for (const file of await builtFiles()) site.set(file, await readFile(join(BUILT, file)));
  for (const [file, content] of await runtimeFiles()) site.set(`runtime/${file}`, content);
  const messages = createQueue<FromPage>();
  const server = await serveSite(site, 0, { inbox: { path: inbox, onMessage: (text) => messages.put(JSON.parse(text)) } });
  const page = await openPage(program, server.url);
  const stopped = new Promise<never>((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true }));
  const next = (): Promise<FromPage> => Promise.race([messages.take(), page.ended, stopped]);
  try {
    const first = await Promise.race([next(), silence(program.executable)]);
    const browser = first.kind === "started" ? nameOf(first.browser) : program.executable;
    for (let i = 0; i < devices.length; i++) {
      const found = await next();
      if (found.kind === "verified") yield { device: found.device, browser, verification: found.verification };
      if (found.kind === "failed") yield { device: found.device, browser, error: found.message };
    }
  } finally {
    await page.close();
    await server.close();
  }
}

async function builtFiles(): Promise<string[]> {
  try {
    return await readdir(BUILT);
  } catch (cause) {
    throw new FivecropError(`the page for --browser is not built (${fileReason(cause)}). To fix: npm run build.`, { cause });
  }
}

/** Rejects after a while in which the page should have said that it has started. */
const silence = (executable: string): Promise<never> =>
  new Promise((_, reject) => {
    const message = `the browser ${executable} opened no page within ${START_SECONDS} seconds. To fix: name another one by CHROME=PROGRAM.`;
    setTimeout(() => reject(new FivecropError(message)), START_SECONDS * 1000).unref();
  });

/** "Chrome 147" of a browser's own long name. */
const nameOf = (userAgent: string): string => /(Edg|Chrome)\/(\d+)/.exec(userAgent)?.slice(1, 3).join(" ") ?? userAgent;

/** Messages in their order, for one who takes them one by one. */
function createQueue<T>(): { put(message: T): void; take(): Promise<T> } {
  const waiting: T[] = [];
  let wake: ((message: T) => void) | undefined;
  return {
    put(message) {
      if (wake) wake(message);
      else waiting.push(message);
      wake = undefined;
    },
    take: () => (waiting.length > 0 ? Promise.resolve(waiting.shift() as T) : new Promise((resolve) => (wake = resolve))),
  };
}
